"""An edition turned into what all forms show."""

from __future__ import annotations

from digests.model import Edition
from digests.render import safe
from digests.render.citing import MAX_TITLE, brief
from digests.render.corrections import correction
from digests.render.ledger import ledger_lines
from digests.render.story import story_view
from digests.render.view import EditionView, SectionView
from digests.render.words import words_for


def view(edition: Edition) -> EditionView:
    """Return what `edition` shows."""
    words = words_for(edition)
    ledger = edition.ledger
    counts = {
        "stories": len(edition.stories),
        "briefs": len(edition.briefs),
        "articles": ledger.articles,
        "outlets": ledger.outlets,
        "languages": ledger.languages,
    }
    facts = {key: words.say(key, n=counts[key]) for key in ("articles", "outlets", "languages", "stories")}
    title = safe.inert(edition.title, limit=MAX_TITLE)
    return EditionView(
        digest=edition.digest,
        title=title,
        language=words.language,
        dir=words.direction(words.language, title),
        day=edition.local_date,
        long_date=words.long_date(edition.local_date),
        number=edition.number,
        facts=words.say("facts", **facts),
        minutes=words.say("minutes", n=edition.minutes) if edition.stories else "",
        note=safe.inert_lines(edition.note),
        sections=tuple(
            SectionView(
                title=safe.inert(section.title, limit=MAX_TITLE),
                stories=tuple(story_view(story, edition, words) for story in section.stories),
            )
            for section in edition.sections
            if section.stories
        ),
        corrections=tuple(correction(one, words) for one in edition.corrections),
        briefs=tuple(brief(one, words) for one in edition.briefs if one.status != "quiet"),
        quiet=tuple(brief(one, words) for one in edition.briefs if one.status == "quiet"),
        gone=tuple(brief(one, words) for one in edition.gone),
        ledger=ledger_lines(edition, words),
        previous=edition.previous,
        counts=tuple(counts.items()),
        words=words,
    )
