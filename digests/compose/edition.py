"""Composes an edition: chooses its stories, puts them into sections, and says in a ledger why others are left out."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain, count
from typing import Any

from digests.analysis.country_names import REGIONS, country_name, region_of, region_title, section_title
from digests.analysis.preferences import match_section_rule, matching_phrases
from digests.analysis.select import count_left_out
from digests.analysis.titles import title_without_outlet
from digests.analysis.topics import topic_title
from digests.compose.at_a_glance import choose_glance_lines
from digests.compose.changes import SAME_TITLE_SHARE, day_number, may_continue, shared_rarity
from digests.compose.coming_up import choose_coming_up
from digests.compose.context import ComposeContext, EditionInputs
from digests.compose.rank import RankedStory, rank
from digests.compose.reading_time import reading_time
from digests.compose.selection import StorySelection, select_stories
from digests.compose.story import add_distinct, compose_brief, find_headline, latin_words
from digests.compose.told import has_new_number
from digests.compose.translations import ForeignText, Translations
from digests.compose.week import add_week
from digests.model.edition import Edition, Section
from digests.model.edition_story import Brief, EditionStory
from digests.model.ledger import Intake, LargestStory, Ledger, LeftOut, LeftOutKind
from digests.model.story import Story
from digests.settings.digests import MAX_QUIET_DAYS, DigestSettings
from digests.settings.topics import LIGHT_TOPICS, TOPICS
from digests.summarise.repetition import tells_same_event
from watcher.model import Article
from watcher.text.language import UNKNOWN_LANGUAGE
from watcher.text.page_kind import DOUBTFUL
from watcher.text.words import fold, stems

MAX_ENDED = 5  # stories that the last edition told in full, and that no new article continues
COUNTS = ("outlets", "independent", "headline_only")
OF_ENDED = ("id", "title", "url", *COUNTS, "article_ids", "thread", "day", "translation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An edition with the translations so far. It is final if no text is `untranslated`."""

    edition: Edition
    untranslated: tuple[ForeignText, ...]


def compose_draft(inputs: EditionInputs, known: Translations) -> Draft:
    """
    Return the edition with the translations `known`, and the texts that it lacks translations of.

    Stories and sentences are chosen as if each of these texts could be translated. If one cannot, the draft with its
    answer has another story or sentence in its place.
    """
    context = inputs.context.with_translations(known)
    edition = compose_edition(replace(inputs, context=context))
    return Draft(edition=edition, untranslated=tuple(context.translations.wanted if context.translations else ()))


def compose_edition(inputs: EditionInputs) -> Edition:
    """Return the edition of `inputs`: its main stories in sections, numbered from 1, others as briefs, the ledger."""
    context = inputs.context
    digest, previous, ranked = context.digest, context.previous, rank(inputs.stories, context)
    wanted = _choose_wanted(ranked, context)
    anchors: set[str] = set()
    selection = select_stories(wanted, context, anchors)
    if digest.kind == "week":
        of_week = [each.story for each in ranked]
        selection.main = [
            (each, add_week(shown, of_week, [below.story for below in selection.related.get(shown.id, ())], context))
            for each, shown in selection.main
        ]
    # What a story above has, as its own report or as "Later", is no line of its own.
    told: dict[str, Brief | None] = {story.latest.url: None for _, story in selection.main if story.latest}
    told |= _addresses((each for each, _ in selection.main), context)
    lines = {key: _make_lines(each, context, told) for key, each in selection.related.items()}
    told = _addresses(chain.from_iterable(selection.related.values()), context) | told
    briefs = (*_briefs(selection, context, told), *_silent_followed(ranked, context))
    has_lines = any(each.quiet_days is not None for each in briefs)
    sections = _sections(selection, lines, context, anchors, has_lines=has_lines)
    shown = [story for section in sections for story in section.stories]
    texts = [*(story.headline for story in shown), *(brief.headline for brief in briefs)]
    texts += [text for story in shown for text in story.told_texts]
    continued = {story.earlier_story for _, story in (*selection.main, *selection.foreign, *selection.quiet)}
    return Edition(
        digest=digest.name,
        title=digest.title,
        number=inputs.number,
        local_date=context.local_date,
        timezone=digest.timezone,
        language=digest.language,
        window_start=context.window_start,
        window_end=context.window_end,
        made_at=inputs.made_at,
        previous=previous.local_date if previous else None,
        sections=sections,
        briefs=briefs,
        ledger=_build_ledger(ranked, wanted, inputs.intake, shown, briefs, context, selection),
        reading_minutes=reading_time(texts),  # until it is known what is printed beside them
        note=digest.note,
        corrections=inputs.corrections,
        ended=_ended_stories(context, ranked, continued, shown),
        at=inputs.at,
        previous_at=previous.at if previous else None,
        at_a_glance=choose_glance_lines(shown, context),
        coming_up=choose_coming_up((each.story for each in wanted), {story.id: story for story in shown}, context),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutStory:
    """A story that an edition does not show. `place`: by its score among the stories that the digest wants, from 1."""

    story: Story
    title: str
    outlets: int
    place: int | None  # None for a story that is not wanted
    kind: LeftOutKind


def find_left_out(inputs: EditionInputs, shown: Container[str]) -> tuple[LeftOutStory, ...]:
    """Return the stories that an edition of `inputs` does not show, best first; `shown` are the ids of the others."""
    context, ranked = inputs.context, rank(inputs.stories, inputs.context)
    wanted = _choose_wanted(ranked, context)
    selection = select_stories(wanted, context, set())
    places = {each.story.id: place for place, each in enumerate(wanted, start=1)}
    return tuple(
        LeftOutStory(
            story=each.story,
            title=title.text if (title := find_headline(each.story, context)) else "",
            outlets=len(each.coverage.outlets),
            place=places.get(each.story.id),
            kind=_why_left_out(each, places, selection, context),
        )
        for each in ranked
        if each.story.id not in shown
    )


def _choose_wanted(ranked: Sequence[RankedStory], context: ComposeContext) -> list[RankedStory]:
    """Return the stories that the digest's regions, topics or phrases admit, or that the reader follows."""
    return [one for one in ranked if one.followed or one.must_phrases or one.watched or is_wanted(one.story, context)]


def is_wanted(story: Story, context: ComposeContext) -> bool:
    """Whether a story is about one of the digest's regions or countries, topics and words; True if it names none."""
    regions = context.digest.regions
    is_here = not regions or any(
        code in regions or region_of(code) in regions for code in context.find_countries(story)
    )
    return is_here and _is_on_topic(story, context)


def _is_on_topic(story: Story, context: ComposeContext) -> bool:
    """Whether a story is on one of the digest's topics, and has one of its words; True if the digest names none."""
    only, topics = context.digest.only, context.digest.topics
    has_word = not only or bool(matching_phrases(only, context.present(story)))
    return has_word and (not topics or context.find_topic(story) in topics)


def _sections(
    selection: StorySelection,
    lines: Mapping[str, tuple[Brief, ...]],
    context: ComposeContext,
    anchors: set[str],
    *,
    has_lines: bool,
) -> tuple[Section, ...]:
    """
    Return the sections, that of the followed stories first. `has_lines`: some of these stories are briefs.

    The events of a running story stand together, below the first of them (`_title_events`), unless the digest has
    sections or rules of its own.
    """
    followed = section_title("followed", context.digest.language)
    has_own = context.digest.sections or context.digest.section_rules
    by_title: defaultdict[str, list[EditionStory]] = defaultdict(list)
    main = _with_siblings_together(selection.main)
    own_titles = [
        _choose_section(context.present(ranked.story), shown.place_codes, shown.topic, context.digest)
        for ranked, shown in main
    ]
    chosen = own_titles if has_own else _title_events(main, own_titles, context.digest.language)
    for (ranked, shown), title in zip(main, chosen, strict=True):
        title = followed if ranked.followed else title
        by_title[title].append(replace(shown, related=lines.get(ranked.story.id, ())))
    titles = _section_order([title for title in by_title if title != followed], context.digest)
    if has_lines or followed in by_title:
        titles.insert(0, followed)
    sections, number = [], count(1)
    for title in titles:
        stories = tuple(replace(story, number=next(number)) for story in by_title[title])
        anchor = _make_section_anchor(title, anchors)
        sections.append(Section(title=title, anchor=anchor, stories=stories, followed=title == followed))
    return tuple(sections)


def _with_siblings_together(
    main: Sequence[tuple[RankedStory, EditionStory]],
) -> list[tuple[RankedStory, EditionStory]]:
    """Return the stories in their order, those of one running story behind its first."""
    first: dict[str, int] = {}
    for at, (ranked, _) in enumerate(main):
        first.setdefault(ranked.family, at)
    return sorted(main, key=lambda pair: first[pair[0].family])


def _silent_followed(ranked: Sequence[RankedStory], context: ComposeContext) -> Iterator[Brief]:
    """Yield the followed threads without a report in the window; once more after `MAX_QUIET_DAYS`, then no more."""
    reported_threads = {each.story.thread for each in ranked}
    gap = (context.local_date - context.previous.local_date).days if context.previous else 0
    for brief, last_at in sorted(context.followed.values(), key=lambda pair: pair[1], reverse=True):
        days = day_number(last_at, context) - 1
        if brief.thread not in reported_threads and days - gap < MAX_QUIET_DAYS:
            translation = context.translate("headlines", brief.title, brief.language)
            yield replace(brief, translation=translation, quiet_days=days)


def _addresses(stories: Iterable[RankedStory], context: ComposeContext) -> dict[str, Brief | None]:
    return dict.fromkeys(article.url for each in stories for article in context.present(each.story))


def _make_lines(
    stories: Iterable[RankedStory], context: ComposeContext, told: dict[str, Brief | None]
) -> tuple[Brief, ...]:
    """
    Return stories in one line each, without those that have no title, or one that says what a line above says.

    Grouping may keep two stories on one event apart, and both may be told by the same later report, or by two that say
    the same. `told`: addresses of what is told above, each with its line if it has one; the lines' are added.
    """
    found: list[Brief] = []
    for each in stories:
        brief = compose_brief(each, context)
        if brief is not None and (each.followed or each.watched or not _is_line_told(brief, told, context)):
            told[brief.url] = brief
            found.append(brief)
    return tuple(found)


def _is_line_told(brief: Brief, told: Mapping[str, Brief | None], context: ComposeContext) -> bool:
    """Whether the report of a line is told above, or its headline says what a line there says, with its rare words."""
    if brief.url in told:
        return True
    language = brief.language
    frequencies, about = context.frequencies.get(language, {}), set(stems(brief.title, language))
    titles = (line.title for line in told.values() if line and line.language == language)
    return any(
        tells_same_event(brief.title, title, language)
        and shared_rarity(about, set(stems(title, language)), frequencies) >= SAME_TITLE_SHARE
        for title in titles
    )


def _briefs(selection: StorySelection, context: ComposeContext, told: dict[str, Brief | None]) -> tuple[Brief, ...]:
    """Return the stories in one line: foreign ones, others, quiet ones; `told` as in `_make_lines`."""
    found = [*_make_lines((*selection.foreign_lines, *selection.briefs), context, told)]
    before = context.told_in(context.previous)
    for each, shown in selection.quiet_lines:
        for brief in _make_lines((each,), context, told):
            # Another toll is not "nothing new", also if no sentence tells it.
            is_quiet, days = each.followed or not has_new_number(brief.title, before), 0 if each.followed else None
            quiet = replace(brief, status=shown.status, day=shown.day, quiet_days=days)
            found.append(quiet if is_quiet else brief)
    return tuple(found)


def _title_events(main: Sequence[tuple[RankedStory, EditionStory]], titles: Sequence[str], language: str) -> list[str]:
    """
    Return `titles`, the sections of stories, with one section for the events of each running story.

    If these happened in several regions, it is named after the country that all of them are about: a riot in Karachi
    over a war in Iran is no news of the Middle East. Without such a country, each stays in its own section.
    """
    by_family: defaultdict[str, list[int]] = defaultdict(list)
    for number, (ranked, _) in enumerate(main):
        by_family[ranked.family].append(number)
    chosen = list(titles)
    for numbers in by_family.values():
        if len({titles[number] for number in numbers}) > 1:
            first, *others = (main[number][1].place_codes for number in numbers)
            if shared := [code for code in first if all(code in codes for codes in others)]:
                for number in numbers:
                    chosen[number] = country_name(shared[0], language)
    return chosen


def _choose_section(present: Sequence[Article], places: Sequence[str], topic: str, digest: DigestSettings) -> str:
    """
    Return the title of a story's section. `places` are the countries that it is about, the main one first.

    The first matching section rule decides. Else the digest's `sections` are matched with the articles' sections, then
    with the names of topic and region. If none matches, it is the title of the topic if that is a light one or the
    story has no place, else of the region, or "Other stories" without a place and a topic.
    """
    if rule := match_section_rule(digest.section_rules, present, places, topic):
        return rule.section
    wanted, language = digest.sections, digest.language
    region, is_light = region_of(places[0] if places else None), topic in LIGHT_TOPICS
    if wanted:
        names = {_plain(name): name for name in wanted}
        own = (_plain(article.section) for article in present if article.section)
        counts = Counter(names[section] for section in own if section in names)
        if counts:
            return min(counts, key=lambda name: (-counts[name], wanted.index(name)))
        of_region = [region, region_title(region, language), region_title(region, "en")]
        of_topic = [topic, topic_title(topic, language), topic_title(topic, "en")] if topic != "world" else []
        for spelling in map(_plain, of_topic + of_region if is_light else of_region + of_topic):
            if spelling in names:
                return names[spelling]
    return (topic_title(topic, language) if is_light or not places else "") or section_title(region, language)


def _section_order(titles: Sequence[str], digest: DigestSettings) -> list[str]:
    """
    Return the distinct titles in page order.

    `titles` are the sections of the stories, best story first. The digest's own sections come first, in their order. If
    it has none, the lead's section comes first, then the regions by their best story, stories without a place, topics.
    """
    found, wanted = list(dict.fromkeys(titles)), digest.sections
    if wanted:
        return [name for name in wanted if name in found] + [name for name in found if name not in set(wanted)]
    last = [section_title(REGIONS[-1], digest.language), *(topic_title(topic, digest.language) for topic in TOPICS)]
    regions = [name for name in found[1:] if name not in last]
    return found[:1] + regions + [name for name in last if name in found[1:]]


def _make_section_anchor(title: str, taken: set[str]) -> str:
    """Return an ASCII anchor for a section, and add it to `taken`."""
    slug = "-".join(latin_words(title))
    return add_distinct(slug if slug[:1].isalpha() else f"section-{slug or len(taken) + 1}", taken)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", fold(name)).strip()


def _ended_stories(
    context: ComposeContext,
    ranked: Sequence[RankedStory],
    continued: Collection[str],
    shown: Sequence[EditionStory],
) -> tuple[Brief, ...]:
    """
    Return up to `MAX_ENDED` stories of the last edition that no story continues; `continued`: ids with a follow-up.

    A story of which an outlet was not read is left out: that outlet may report it still. So is one that is followed,
    one that a story of those `shown` may continue: in the same country, with a word of its headline in common, and one
    that any report of the period may be on, by its title (`may_continue`).
    """
    of_window = context.select_in_window(context.articles).values()
    reports = [(title_without_outlet(each), each.language) for each in of_window]
    titles = [(title, language, frozenset(stems(title, language))) for title, language in reports]

    def may_go_on(ended: EditionStory) -> bool:
        words = set(stems(ended.title, ended.title_language))
        here = (each for each in shown if each.place_codes[:1] == ended.place_codes[:1] != ())
        is_shown = any(not words.isdisjoint(stems(each.title, each.title_language)) for each in here)
        return is_shown or may_continue(ended, titles, context.frequencies)

    ids = {key for each in ranked for key in (each.story.id, *each.story.merged_ids)}
    threads = {each.story.thread for each in ranked if each.story.thread} | context.followed.keys()
    articles = {key for each in ranked for key in each.story.articles}
    return tuple(
        Brief(
            **{name: getattr(story, name) for name in OF_ENDED},
            outlet=_outlet_of_headline(story, context),
            language=story.title_language,
            status="gone",
        )
        for story in (context.previous.stories if context.previous else ())
        if story.mentions
        and all(mention.outlet in context.outlets_read for mention in story.mentions)
        and story.id not in ids
        and story.id not in continued
        and story.thread not in threads
        and not articles & set(story.article_ids)
        and not may_go_on(story)
    )[:MAX_ENDED]


def _outlet_of_headline(story: EditionStory, context: ComposeContext) -> str:
    """Return the outlet whose title is a story's headline; the story may mention another report of that outlet."""
    articles = (context.earlier_articles.get(key) for key in story.article_ids)
    named = (article.outlet for article in articles if article and article.url == story.url)
    mentioned = (mention.outlet for mention in story.mentions if mention.url == story.url)
    return next(named, None) or next(mentioned, story.mentions[0].outlet)


def _build_ledger(
    ranked: Sequence[RankedStory],
    among: Sequence[RankedStory],
    intake: Intake,
    shown: Sequence[EditionStory],
    briefs: Sequence[Brief],
    context: ComposeContext,
    selection: StorySelection,
) -> Ledger:
    """Return the ledger of an edition. `among`: the stories of `ranked` that its regions, topics or phrases admit."""
    stories = {each.story.id: each.story for each in ranked}
    all_briefs = (*briefs, *(brief for story in shown for brief in story.related))
    in_one_line = [brief for brief in all_briefs if brief.id in stories]  # without the lines of followed stories of old
    taken = {story.id for story in shown} | {brief.id for brief in in_one_line}
    wanted = {each.story.id for each in among}
    left_out = count_left_out(
        (_why_left_out(each, wanted, selection, context), "") for each in ranked if each.story.id not in taken
    )
    values = context.articles.values()
    largest = _find_largest_story(stories.values(), context.articles)
    title = find_headline(stories[largest.id], context) if largest else None
    came_in: dict[str, Any] = {each.name: getattr(intake, each.name) for each in fields(Intake)}
    out_of_intake, other_articles = _balance(intake, len(values))
    return Ledger(
        **came_in | {"left_out": (*out_of_intake, *left_out)},
        articles=len(values),
        other_articles=other_articles,
        doubtful=sum(article.kind == DOUBTFUL for article in values),
        headline_only=sum(article.is_headline_only for article in values),
        outlets=len({article.outlet for article in values}),
        languages=len({article.language for article in values} - {UNKNOWN_LANGUAGE}),
        countries=len({article.country for article in values if article.country}),
        stories_found=len(ranked),
        stories_shown=len(shown),
        briefs_shown=len(in_one_line),
        largest=replace(largest, title=title.text if title else "") if largest else None,
    )


def _balance(intake: Intake, used: int) -> tuple[tuple[LeftOut, ...], int]:
    """
    Return what is left out of the entries seen, and the number of articles that no entry of the window brought, so that
    the entries and these articles are together those used and left out.

    Counts overlap: two entries can have one page, and a page that cannot be fetched can be known by its headline.
    """
    gap = intake.entries_seen - used - sum(each.count for each in intake.left_out)
    if gap <= 0:
        return intake.left_out, -gap
    without = sum(each.count for each in intake.left_out if each.kind is LeftOutKind.NO_ARTICLE)
    rest = tuple(each for each in intake.left_out if each.kind is not LeftOutKind.NO_ARTICLE)
    return (*rest, LeftOut(kind=LeftOutKind.NO_ARTICLE, count=without + gap)), 0


def _why_left_out(
    ranked: RankedStory, wanted: Container[str], selection: StorySelection, context: ComposeContext
) -> LeftOutKind:
    """Return why an edition does not show a ranked story; `wanted` are the ids of stories on the digest's subject."""
    if ranked.story.id not in wanted:
        return LeftOutKind.OTHER_REGION if _is_on_topic(ranked.story, context) else LeftOutKind.OTHER_TOPIC
    if ranked.story.id in selection.told_before:
        return LeftOutKind.TOLD_BEFORE
    if ranked.sibling_of:
        return LeftOutKind.SIBLING
    if ranked.story.id in selection.enough_shown:
        return LeftOutKind.ENOUGH_SHOWN
    return LeftOutKind.SINGLE_OUTLET if len(ranked.coverage.outlets) == 1 else LeftOutKind.LOWER_RANK


# A quarter of a window's reports is seldom one event. In labelled news of single days that were chosen for their large
# events, the largest true story typically has a sixth to a tenth of them; wrongly merged stories have a third or more.
OVERSIZED_SHARE = 0.25
MIN_WINDOW_REPORTS = 100  # of a window: with fewer, one large event easily has a quarter of them


def _find_largest_story(stories: Iterable[Story], inside: Container[str]) -> LargestStory | None:
    """
    Return the story with the most reports that have an article in `inside`, the window; None if no report has one.

    Reports are counted, not articles: an agency's text in sixty papers is one report. On a tie, the story with more
    articles wins, then the smaller id.
    """
    found: list[tuple[int, int, str]] = []
    for story in stories:
        reports = sum(any(key in inside for key in report.articles) for report in story.wire_groups)
        found.append((-reports, -sum(key in inside for key in story.articles), story.id))
    total = -sum(reports for reports, _, _ in found)
    if not total:
        return None
    reports, articles, key = min(found)
    share = round(-reports / total, 4)
    return LargestStory(
        id=key,
        articles=-articles,
        reports=-reports,
        of_reports=total,
        share=share,
        is_oversized=total >= MIN_WINDOW_REPORTS and share > OVERSIZED_SHARE,
    )
