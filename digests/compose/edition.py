"""An edition: which stories it shows, in which sections, and what it says beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from digests.compose.choose import StorySelection, choose
from digests.compose.ledger import LedgerInput, build_ledger
from digests.compose.sections import section_anchor, section_of, section_order
from digests.compose.story import ComposeContext, compose_brief, compose_story, reading_time
from digests.model import Brief, Correction, Edition, EditionStory, Section, Story
from digests.places.find import countries
from digests.places.regions import region_of
from digests.rank import Ranked
from digests.select import Whole, is_flagged
from digests.summarise.agreement import common
from digests.voices import outlets_read
from digests.wishes import Wishes
from watcher.model import Article

GONE = 10  # stories of the last edition of which nothing has come in


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
    wishes: Wishes = Wishes()  # noqa: RUF009 (it is frozen)


def compose(
    *,
    shape: Shape,
    ranked: Sequence[Ranked],
    articles: Mapping[str, Article],
    intake: LedgerInput,
    previous: Edition | None,
    number: int,
    local_date: date,
    window_start: datetime,
    window_end: datetime,
    made_at: datetime,
    earlier: Mapping[str, Article] | None = None,
    seen: Sequence[Edition] = (),
    kinds: Mapping[str, str] | None = None,
    corrections: Sequence[Correction] = (),
    whole: Whole | None = None,
) -> Edition:
    """
    Return the edition of `ranked`, best first: the main stories in sections, the next ones as briefs, and the ledger.

    What is told in full and what in a line is for `choice` to say. Numbers run in page order, the lead is 1.

    Args:
        articles: The window's, by id: those that `select` kept.
        earlier: Articles of the last edition, where they are to be had, for telling what is new; they are not
        counted.
        seen: The last editions, the latest first; the first is `previous`, which is enough if stories never pause.
        kinds: The kind of owner of an outlet, where the settings name it.
        corrections: What outlets have changed in reports that editions cited.
        whole: Returns articles with all of their text, where `articles` and `earlier` have its beginning alone: those
            of the stories that may be shown are asked for, one story after the other.
    """
    frame = _frame(
        shape,
        articles,
        earlier or {},
        tuple(seen) or ((previous,) if previous else ()),
        kinds or {},
        whole,
        local_date=local_date,
        window=(window_start, window_end),
    )
    wanted = [each for each in ranked if each.must or each.alerts or _is_wanted(each.story, frame, shape)]
    taken: set[str] = set()
    chosen = _chosen(wanted, articles, frame, shape, taken)
    sections = _sections(chosen, articles, frame, shape, taken)
    briefs = _briefs(chosen, articles, frame)
    shown = [story for section in sections for story in section.stories]
    ledger = build_ledger(ranked, wanted, articles, intake, chosen, shown, briefs, frame)
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
        minutes=reading_time(_read(shown, briefs)),
        note=shape.note,
        corrections=tuple(corrections),
        gone=gone(previous, ranked, {told.earlier for _, told in (*chosen.main, *chosen.quiet)}),
    )


def _frame(
    shape: Shape,
    articles: Mapping[str, Article],
    earlier: Mapping[str, Article],
    seen: tuple[Edition, ...],
    kinds: Mapping[str, str],
    whole: Whole | None,
    *,
    local_date: date,
    window: tuple[datetime, datetime],
) -> ComposeContext:
    """Return what all stories of the edition share; arguments as those of `compose`."""
    known = {**earlier, **articles}
    read = whole or (lambda ids: {key: known[key] for key in ids})
    return ComposeContext(
        language=shape.language,
        timezone=shape.timezone,
        local_date=local_date,
        window_start=window[0],
        window_end=window[1],
        seen=seen,
        common=common(list(articles.values()), whole),
        earlier={**earlier, **read(earlier.keys() & articles.keys())},
        whole=read,
        kinds=kinds,
        read=outlets_read(articles.values(), kinds),
        places=_places(articles),
    )


def _chosen(
    wanted: Sequence[Ranked], articles: Mapping[str, Article], frame: ComposeContext, shape: Shape, taken: set[str]
) -> StorySelection:
    """Return which of the wanted stories are told in full and which in a line; their anchors are put into `taken`."""
    flagged = frozenset(key for key, article in articles.items() if is_flagged(article))
    told = partial(compose_story, articles=articles, frame=frame, taken=taken)
    return choose(wanted, told, stories=shape.stories, briefs=shape.briefs, flagged=flagged)


def _places(articles: Mapping[str, Article]) -> Callable[[Story], tuple[str, ...]]:
    """Return what tells the countries of a story, read once each."""
    known: dict[str, tuple[str, ...]] = {}

    def places(story: Story) -> tuple[str, ...]:
        if story.id not in known:
            known[story.id] = countries(story, articles)
        return known[story.id]

    return places


def _is_wanted(story: Story, frame: ComposeContext, shape: Shape) -> bool:
    """Whether a story is about one of the digest's regions or countries, if it names any."""
    if not shape.wishes.regions:
        return True
    about = frame.places(story)
    return any(code in shape.wishes.regions or region_of(code) in shape.wishes.regions for code in about)


def _sections(
    chosen: StorySelection, articles: Mapping[str, Article], frame: ComposeContext, shape: Shape, taken: set[str]
) -> tuple[Section, ...]:
    filed: dict[str, list[EditionStory]] = {}
    for ranked, told in chosen.main:
        under = (compose_brief(each, articles, frame) for each in chosen.related.get(ranked.story.id, ()))
        story = replace(told, related=tuple(brief for brief in under if brief))
        title = section_of(
            ranked.story,
            articles,
            told.place_codes,
            wanted=shape.sections,
            language=shape.language,
            rules=shape.wishes.rules,
        )
        filed.setdefault(title, []).append(story)
    sections = []
    number = 0
    for title in section_order(list(filed), wanted=shape.sections, language=shape.language):
        numbered = tuple(replace(story, number=number + at) for at, story in enumerate(filed[title], 1))
        number += len(numbered)
        sections.append(Section(title=title, anchor=section_anchor(title, taken), stories=numbered))
    return tuple(sections)


def _briefs(chosen: StorySelection, articles: Mapping[str, Article], frame: ComposeContext) -> tuple[Brief, ...]:
    """Return the stories of one line, then those in which nothing is new."""
    found = [compose_brief(each, articles, frame) for each in chosen.briefs]
    found += [
        replace(brief, status=told.status, day=told.day)
        for each, told in chosen.quiet
        if (brief := compose_brief(each, articles, frame))
    ]
    return tuple(brief for brief in found if brief)


def gone(previous: Edition | None, ranked: Sequence[Ranked], gone_on: Collection[str] = ()) -> tuple[Brief, ...]:
    """
    Return the stories that the last edition told and of which nothing has come in since, in its order.

    Args:
        gone_on: Ids of stories that others go on with.
    """
    if previous is None:
        return ()
    ids = {key for each in ranked for key in (each.story.id, *each.story.was)}
    threads = {each.story.thread for each in ranked if each.story.thread}
    articles = {key for each in ranked for key in each.story.articles}
    return tuple(
        Brief(
            id=story.id,
            title=story.title,
            url=story.url,
            outlet=next((m.outlet for m in story.mentions if m.url == story.url), story.mentions[0].outlet),
            language=story.title_language,
            outlets=story.outlets,
            independent=story.independent,
            article_ids=story.article_ids,
            thread=story.thread,
            status="gone",
            day=story.day,
        )
        for story in previous.stories
        if story.mentions
        and story.id not in ids
        and story.id not in gone_on
        and story.thread not in threads
        and not articles & set(story.article_ids)
    )[:GONE]


def _read(shown: Sequence[EditionStory], briefs: Sequence[Brief]) -> list[str]:
    texts = [story.title for story in shown] + [brief.title for brief in briefs]
    return texts + [s.text for story in shown for s in (*story.summary, *story.since)]
