"""An edition: which stories it shows, in which sections, and the ledger of what it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from digests.compose.figures import minutes
from digests.compose.largest import largest
from digests.compose.sections import section_anchor, section_of, section_order
from digests.compose.story import Frame, compose_brief, compose_story
from digests.model import Brief, Edition, EditionStory, FailingSource, Largest, Ledger, Section
from digests.places import countries
from digests.rank import Ranked
from digests.select import is_flagged
from digests.summarise.agreement import common
from digests.summarise.headline import headline
from watcher.model import Article

SIBLINGS = 1  # stories on an event beside its first among the main stories
SIBLING_REPORTS = 3  # independent reports that such a story must have


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a digest's settings say about its editions."""

    name: str
    title: str
    language: str = "en"
    timezone: str = "UTC"
    stories: int = 12
    briefs: int = 10
    sections: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What came in, for the ledger."""

    entries_seen: int = 0
    left_out: tuple[tuple[str, int], ...] = ()  # articles, from `select`
    sources_total: int = 0
    sources_ok: int = 0
    failing: tuple[FailingSource, ...] = ()
    late_s: float = 0.0
    longer_window: bool = False


def compose(
    *,
    shape: Shape,
    ranked: Sequence[Ranked],
    articles: Mapping[str, Article],
    intake: Intake,
    previous: Edition | None,
    number: int,
    local_date: date,
    window_start: datetime,
    window_end: datetime,
    made_at: datetime,
    earlier: Mapping[str, Article] | None = None,
    seen: Sequence[Edition] = (),
) -> Edition:
    """
    Return the edition of `ranked`, best first: the main stories in sections, the next ones as briefs, and the ledger.

    Stories that more than one outlet has come first, whatever their score; those of one outlet fill what is left.
    Beside an event's first story at most one more is shown, and none as a brief. Numbers run in page order, the lead
    is 1.

    Args:
        articles: The window's, by id: those that `select` kept.
        earlier: Articles of the last edition, where they are to be had, for telling what is new; they are not
        counted.
        seen: The last editions, the latest first; the first is `previous`, which is enough if stories never pause.
    """
    frame = Frame(
        language=shape.language,
        timezone=shape.timezone,
        local_date=local_date,
        window_start=window_start,
        window_end=window_end,
        seen=tuple(seen) or ((previous,) if previous else ()),
        common=common(list(articles.values())),
        earlier=earlier or {},
    )
    flagged = frozenset(key for key, article in articles.items() if is_flagged(article))
    main, following = choose(ranked, stories=shape.stories, briefs=shape.briefs, flagged=flagged)
    sections = _sections(main, articles, frame, shape)
    briefs = tuple(brief for story in following if (brief := compose_brief(story, articles, frame)))
    shown = [story for section in sections for story in section.stories]
    ledger = _ledger(ranked, articles, intake, shown, briefs, main, following, shape.language)
    return Edition(
        digest=shape.name,
        title=shape.title,
        number=number,
        local_date=local_date,
        timezone=shape.timezone,
        language=shape.language,
        window_start=window_start,
        window_end=window_end,
        made_at=made_at,
        previous=previous.local_date if previous else None,
        sections=sections,
        briefs=briefs,
        ledger=ledger,
        minutes=minutes(_read(shown, briefs)),
        note=shape.note,
    )


def choose(
    ranked: Sequence[Ranked], *, stories: int, briefs: int, flagged: frozenset[str] = frozenset()
) -> tuple[tuple[Ranked, ...], tuple[Ranked, ...]]:
    """
    Return the main stories and those told in one line, each best first; a story is in one of them at most.

    Args:
        flagged: Ids of live blogs and round-ups; a story of nothing else is told in one line.
    """
    shared = [r for r in ranked if len(r.coverage.outlets) > 1]
    alone = [r for r in ranked if len(r.coverage.outlets) == 1]
    main: list[Ranked] = []
    beside: Counter[str] = Counter()
    for story in (*shared, *alone):
        if len(main) == stories:
            break
        if flagged.issuperset(story.story.articles):
            continue
        if story.sibling_of:
            if beside[story.sibling_of] == SIBLINGS or len(story.coverage.independent) < SIBLING_REPORTS:
                continue
            beside[story.sibling_of] += 1
        main.append(story)
    main.sort(key=lambda r: (len(r.coverage.outlets) == 1, -r.score, r.story.id))
    taken = {r.story.id for r in main}
    following = [r for r in (*shared, *alone) if r.story.id not in taken and not r.sibling_of]
    return tuple(main), tuple(following[:briefs])


def _sections(
    main: Sequence[Ranked], articles: Mapping[str, Article], frame: Frame, shape: Shape
) -> tuple[Section, ...]:
    taken: set[str] = set()
    filed: dict[str, list[EditionStory]] = {}
    for ranked in main:
        places = countries(ranked.story, articles)
        story = compose_story(ranked, articles, frame, number=0, taken=taken, places=places)
        if story is not None:
            title = section_of(ranked.story, articles, places, wanted=shape.sections, language=shape.language)
            filed.setdefault(title, []).append(story)
    sections = []
    number = 0
    for title in section_order(list(filed), wanted=shape.sections, language=shape.language):
        numbered = tuple(replace(story, number=number + at) for at, story in enumerate(filed[title], 1))
        number += len(numbered)
        sections.append(Section(title=title, anchor=section_anchor(title, taken), stories=numbered))
    return tuple(sections)


def _ledger(
    ranked: Sequence[Ranked],
    articles: Mapping[str, Article],
    intake: Intake,
    shown: Sequence[EditionStory],
    briefs: Sequence[Brief],
    main: Sequence[Ranked],
    following: Sequence[Ranked],
    language: str,
) -> Ledger:
    taken = {r.story.id for r in (*main, *following)}
    rest = [r for r in ranked if r.story.id not in taken]
    reasons = Counter(
        "stories on an event that another story tells"
        if r.sibling_of
        else "stories that one outlet has"
        if len(r.coverage.outlets) == 1
        else "stories that ranked lower"
        for r in rest
    )
    values = articles.values()
    return Ledger(
        entries_seen=intake.entries_seen,
        articles=len(articles),
        outlets=len({article.outlet for article in values}),
        languages=len({article.language for article in values}),
        countries=len({article.country for article in values if article.country}),
        stories_found=len(ranked),
        stories_shown=len(shown),
        briefs_shown=len(briefs),
        left_out=(*intake.left_out, *sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        sources_total=intake.sources_total,
        sources_ok=intake.sources_ok,
        failing=intake.failing,
        late_s=intake.late_s,
        longer_window=intake.longer_window,
        largest=_largest(ranked, articles, language),
    )


def _largest(ranked: Sequence[Ranked], articles: Mapping[str, Article], language: str) -> Largest | None:
    """Return the largest story with its headline."""
    stories = {r.story.id: r.story for r in ranked}
    found = largest(stories.values(), articles)
    title = headline(stories[found.id], articles, language=language) if found else None
    return replace(found, title=title.text) if found and title else found


def _read(shown: Sequence[EditionStory], briefs: Sequence[Brief]) -> list[str]:
    texts = [story.title for story in shown] + [brief.title for brief in briefs]
    return texts + [s.text for story in shown for s in (*story.summary, *story.since)]
