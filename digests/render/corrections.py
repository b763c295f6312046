"""What outlets have changed in reports that earlier editions cited, in words."""

from __future__ import annotations

from digests.model import Correction
from digests.render import safe
from digests.render.citing import MAX_TITLE, headline, outlet_name, tongue
from digests.render.view import CorrectionView
from digests.render.words import Words

KINDS = {
    "headline": "headline_changed",
    "figures": "figures_changed",
    "text": "text_changed",
    "retracted": "retracted",
    "gone": "page_gone",
}


def correction(value: Correction, words: Words) -> CorrectionView:
    """Return one correction; the story's headline is named unless it is what has changed."""
    day = words.short_date(value.cited_on)
    about_itself = safe.inert(value.title) == safe.inert(value.before)
    cited = words.say("cited", day=day) if about_itself else _cited_for(value, day, words)
    before, after = (safe.inert(text, limit=2 * MAX_TITLE) for text in (value.before, value.after))
    return CorrectionView(
        kind=words[KINDS.get(value.kind, "text_changed")],
        outlet=outlet_name(value.outlet, value.url),
        url=safe.web_url(value.url),
        tongue=tongue(value.language, before or after, words),
        cited=cited,
        before=words.say("quoted", text=before) if before else "",
        after=words.say("quoted", text=after) if after else "",
    )


def _cited_for(value: Correction, day: str, words: Words) -> str:
    return words.say("cited_for", day=day, title=headline(value.title, words))
