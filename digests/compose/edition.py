"""The sections of an edition: those the settings name, in their order, else the regions that its stories are about."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from digests.analysis.country_names import REGIONS, region_of, region_title
from digests.analysis.gazetteer import find_countries
from digests.analysis.perspectives import group_outlets
from digests.analysis.preferences import Preferences, SectionRule, match_section_rule
from digests.analysis.select import LoadFullTexts, is_flagged
from digests.compose.choose import StorySelection, select_stories
from digests.compose.ledger import LedgerInput, build_ledger
from digests.compose.rank import RankedStory
from digests.compose.story import ComposeContext, compose_brief, compose_story, reading_time
from digests.model import Brief, Correction, Edition, EditionStory, Section, Story
from digests.summarise.agreement import count_document_frequencies
from watcher.model import Article
from watcher.text.words import fold


def choose_section(
    story: Story,
    articles: Mapping[str, Article],
    places: Sequence[str],
    *,
    wanted: Sequence[str],
    language: str,
    rules: Sequence[SectionRule] = (),
) -> str:
    """
    Return the title of the section that a story belongs to.

    Args:
        places: ISO codes of the countries it is about, first first.
        wanted: The settings' sections: names of sections of sources, or of regions; empty for regions only.
        rules: The reader's own: the first that fits decides.
    """
    if rules and (
        own := match_section_rule(rules, [articles[key] for key in story.articles if key in articles], places)
    ):
        return own
    region = region_of(places[0] if places else None)
    if wanted:
        names = {_plain(name): name for name in wanted}
        counts = Counter(
            names[_plain(article.section)]
            for article in (articles[key] for key in story.articles if key in articles)
            if article.section and _plain(article.section) in names
        )
        if counts:
            return min(counts, key=lambda name: (-counts[name], wanted.index(name)))
        for spelling in (region, region_title(region, language), region_title(region, "en")):
            if _plain(spelling) in names:
                return names[_plain(spelling)]
    return region_title(region, language)


def section_order(titles: Sequence[str], *, wanted: Sequence[str], language: str) -> list[str]:
    """
    Return the distinct titles in the order that an edition has them.

    `titles` are those of its stories, best first. Without wishes the lead's section is first and the others follow by
    their best story, the world's last; with wishes theirs comes first.
    """
    found = list(dict.fromkeys(titles))
    if wanted:
        return [name for name in wanted if name in found] + [name for name in found if name not in set(wanted)]
    rest = region_title(REGIONS[-1], language)
    return found[:1] + [name for name in found[1:] if name != rest] + [name for name in found[1:] if name == rest]


def make_section_anchor(title: str, taken: set[str]) -> str:
    """Return an ASCII anchor for a section, and note it in `taken`."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))
    slug = slug if slug[:1].isalpha() else f"section-{slug or len(taken) + 1}"
    found, number = slug, 2
    while found in taken:
        found, number = f"{slug}-{number}", number + 1
    taken.add(found)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", fold(name)).strip()


GONE = 10  # stories of the last edition of which nothing has come in


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestOptions:
    """What a digest's settings say about its editions."""

    name: str
    title: str
    language: str = "en"
    timezone: str = "UTC"
    stories: int = 12
    briefs: int = 10
    sections: tuple[str, ...] = ()
    note: str = ""
    preferences: Preferences = Preferences()  # noqa: RUF009 (it is frozen)


def compose_edition(
    *,
    options: DigestOptions,
    ranked: Sequence[RankedStory],
    articles: Mapping[str, Article],
    ledger_input: LedgerInput,
    previous: Edition | None,
    number: int,
    local_date: date,
    window_start: datetime,
    window_end: datetime,
    made_at: datetime,
    earlier_articles: Mapping[str, Article] | None = None,
    earlier_editions: Sequence[Edition] = (),
    owner_kinds: Mapping[str, str] | None = None,
    corrections: Sequence[Correction] = (),
    load_full_texts: LoadFullTexts | None = None,
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
        options,
        articles,
        earlier_articles or {},
        tuple(earlier_editions) or ((previous,) if previous else ()),
        owner_kinds or {},
        load_full_texts,
        local_date=local_date,
        window=(window_start, window_end),
    )
    wanted = [each for each in ranked if each.must_phrases or each.watched or _is_wanted(each.story, frame, options)]
    taken: set[str] = set()
    chosen = _chosen(wanted, articles, frame, options, taken)
    sections = _sections(chosen, articles, frame, options, taken)
    briefs = _briefs(chosen, articles, frame)
    shown = [story for section in sections for story in section.stories]
    ledger = build_ledger(ranked, wanted, articles, ledger_input, chosen, shown, briefs, frame)
    return Edition(
        digest=options.name,
        title=options.title,
        number=number,
        local_date=local_date,
        timezone=options.timezone,
        language=options.language,
        window_start=window_start,
        window_end=window_end,
        made_at=made_at,
        previous=previous.local_date if previous else None,
        sections=sections,
        briefs=briefs,
        ledger=ledger,
        reading_minutes=reading_time(_read(shown, briefs)),
        note=options.note,
        corrections=tuple(corrections),
        ended=ended_stories(previous, ranked, {told.earlier_story for _, told in (*chosen.main, *chosen.quiet)}),
    )


def _frame(
    shape: DigestOptions,
    articles: Mapping[str, Article],
    earlier: Mapping[str, Article],
    seen: tuple[Edition, ...],
    kinds: Mapping[str, str],
    whole: LoadFullTexts | None,
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
        earlier_editions=seen,
        frequencies=count_document_frequencies(list(articles.values()), whole),
        earlier_articles={**earlier, **read(earlier.keys() & articles.keys())},
        load_full_texts=read,
        owner_kinds=kinds,
        outlets_read=group_outlets(articles.values(), kinds),
        find_countries=_places(articles),
    )


def _chosen(
    wanted: Sequence[RankedStory],
    articles: Mapping[str, Article],
    frame: ComposeContext,
    shape: DigestOptions,
    taken: set[str],
) -> StorySelection:
    """Return which of the wanted stories are told in full and which in a line; their anchors are put into `taken`."""
    flagged = frozenset(key for key, article in articles.items() if is_flagged(article))
    told = partial(compose_story, articles=articles, frame=frame, taken=taken)
    return select_stories(wanted, told, stories=shape.stories, briefs=shape.briefs, flagged=flagged)


def _places(articles: Mapping[str, Article]) -> Callable[[Story], tuple[str, ...]]:
    """Return what tells the countries of a story, read once each."""
    known: dict[str, tuple[str, ...]] = {}

    def places(story: Story) -> tuple[str, ...]:
        if story.id not in known:
            known[story.id] = find_countries(story, articles)
        return known[story.id]

    return places


def _is_wanted(story: Story, frame: ComposeContext, shape: DigestOptions) -> bool:
    """Whether a story is about one of the digest's regions or countries, if it names any."""
    if not shape.preferences.regions:
        return True
    about = frame.find_countries(story)
    return any(code in shape.preferences.regions or region_of(code) in shape.preferences.regions for code in about)


def _sections(
    chosen: StorySelection,
    articles: Mapping[str, Article],
    frame: ComposeContext,
    shape: DigestOptions,
    taken: set[str],
) -> tuple[Section, ...]:
    filed: dict[str, list[EditionStory]] = {}
    for ranked, told in chosen.main:
        under = (compose_brief(each, articles, frame) for each in chosen.related.get(ranked.story.id, ()))
        story = replace(told, related=tuple(brief for brief in under if brief))
        title = choose_section(
            ranked.story,
            articles,
            told.place_codes,
            wanted=shape.sections,
            language=shape.language,
            rules=shape.preferences.section_rules,
        )
        filed.setdefault(title, []).append(story)
    sections = []
    number = 0
    for title in section_order(list(filed), wanted=shape.sections, language=shape.language):
        numbered = tuple(replace(story, number=number + at) for at, story in enumerate(filed[title], 1))
        number += len(numbered)
        sections.append(Section(title=title, anchor=make_section_anchor(title, taken), stories=numbered))
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


def ended_stories(
    previous: Edition | None, ranked: Sequence[RankedStory], gone_on: Collection[str] = ()
) -> tuple[Brief, ...]:
    """
    Return the stories that the last edition told and of which nothing has come in since, in its order.

    Args:
        gone_on: Ids of stories that others go on with.
    """
    if previous is None:
        return ()
    ids = {key for each in ranked for key in (each.story.id, *each.story.merged_ids)}
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
    return texts + [s.text for story in shown for s in (*story.summary, *story.updates)]
