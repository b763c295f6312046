"""An edition that has everything, on which a reader's templates are tried before one is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from digests.model import (
    Brief,
    Correction,
    Edition,
    EditionStory,
    FailingSource,
    Figure,
    Ledger,
    Mention,
    Prose,
    Section,
    Sentence,
    Silent,
    Voice,
)
from digests.render.forms import FORMATS, render
from digests.render.templating import Own

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
TODAY, BEFORE = date(2026, 11, 24), date(2026, 11, 23)


def try_templates(own: Own) -> None:
    """
    Render a full, a first and an empty edition in every form with a reader's templates.

    Raises:
        DigestError: What is wrong in one, with its file and line.
    """
    full = edition()
    first = replace(full, previous=None, corrections=(), briefs=(), gone=(), note="")
    for each in (full, first, replace(first, sections=())):
        render(each, tuple(FORMATS), own=own, earlier=(full,))


def edition() -> Edition:
    """Return an edition of two stories, one quoted and one written, with every field filled."""
    quoted = _story()
    written = replace(_story(), number=2, anchor="second", status="new", place_codes=("NZ",), voices=(), silent=())
    prose = Prose(text="The bridge is open.", sources=(_sentence("The bridge opened."),))
    stories = (quoted, replace(written, prose=(prose,), prose_by="a model", title_language="fr"))
    return Edition(
        digest="trial",
        title="Trial",
        number=1,
        local_date=TODAY,
        timezone="UTC",
        language="en",
        window_start=NOW - timedelta(days=1),
        window_end=NOW,
        made_at=NOW,
        previous=BEFORE,
        sections=(Section(title="World", anchor="world", stories=stories),),
        briefs=(_brief(), replace(_brief(), status="quiet", day=3)),
        ledger=_ledger(),
        minutes=1,
        note="A note.",
        corrections=(_correction(),),
        gone=(_brief(),),
    )


def _sentence(text: str) -> Sentence:
    url = "https://example.org/bridge"
    return Sentence(text=text, article_id="a", offset=0, outlet="Gazette", url=url, at=NOW, language="en")


def _mention(language: str, *, headline: bool) -> Mention:
    return Mention(
        outlet="Gazette",
        url=f"https://example.org/{language}",
        language=language,
        country="FR",
        title="The bridge opens",
        at=NOW,
        article_id="a",
        agency="AFP",
        headline=headline,
    )


def _brief() -> Brief:
    return Brief(
        id="s2",
        title="The ferry rests",
        url="https://example.org/ferry",
        outlet="Gazette",
        language="fr",
        outlets=2,
        independent=1,
        article_ids=("b",),
        alerts=("ferry",),
    )


def _story() -> EditionStory:
    mention = _mention("fr", headline=True)
    return EditionStory(
        number=1,
        id="s1",
        anchor="first",
        title="The bridge opens",
        title_language="en",
        url="https://example.org/bridge",
        places=("France",),
        status="developing",
        day=2,
        first_seen_at=NOW,
        updated_at=NOW,
        summary=(_sentence("The bridge opened."),),
        since=(_sentence("It is 3 km long."),),
        articles=3,
        outlets=9,
        independent=2,
        folded=7,
        agencies=(("AFP", 7),),
        mentions=(_mention("en", headline=False), mention, _mention("ar", headline=True)),
        languages=("en", "fr"),
        countries=("FR",),
        article_ids=("a",),
        spark=(0, 1, 2, 3, 4, 3, 2, 1),
        trend="rising",
        score=1.0,
        why=(),
        place_codes=("FR",),
        figures=(Figure(before="2", after="3", what="km", was=_sentence("It is 2 km."), now=_sentence("It is 3 km.")),),
        new_outlets=("Courier",),
        related=(_brief(),),
        voices=(Voice(group="country", name="FR", outlets=1, mention=mention, only=("Seine",)),),
        silent=(Silent(group="country", name="DE", outlets=2), Silent(group="owner", name="state", outlets=1)),
        alerts=("bridge",),
    )


def _correction() -> Correction:
    return Correction(
        kind="figures",
        article_id="a",
        outlet="Gazette",
        url="https://example.org/bridge",
        language="en",
        cited_on=BEFORE,
        story="s1",
        title="The bridge opens",
        before="It is 4 km long.",
        after="It is 3 km long.",
        noticed_at=NOW,
    )


def _ledger() -> Ledger:
    return Ledger(
        entries_seen=9,
        articles=9,
        outlets=9,
        languages=2,
        countries=2,
        stories_found=4,
        stories_shown=2,
        briefs_shown=2,
        left_out=(("muted words", 1),),
        sources_total=9,
        sources_ok=8,
        failing=(FailingSource(name="Herald", why="HTTP 503"),),
    )
