"""Composes an edition: chooses its stories, puts them into sections, and says in a ledger why others are left out."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import Any

from digests.analysis.country_names import REGIONS, region_of, region_title, section_title
from digests.analysis.preferences import match_section_rule
from digests.analysis.select import count_left_out, is_flagged
from digests.compose.changes import day_number
from digests.compose.context import ComposeContext, EditionInputs
from digests.compose.rank import READER_TERM, RankedStory, rank
from digests.compose.story import add_distinct, compose_brief, compose_story, find_headline, latin_words, reading_time
from digests.compose.translations import ForeignText, Translations
from digests.compose.week import add_week
from digests.model import (
    Brief,
    Edition,
    EditionStory,
    Intake,
    LargestStory,
    Ledger,
    LeftOutKind,
    Section,
    Story,
)
from digests.settings.digests import MAX_QUIET_DAYS, DigestSettings
from watcher.model import Article
from watcher.text.page_kind import DOUBTFUL
from watcher.text.words import fold

MAX_ENDED = 10  # stories of the last edition that no new article continues
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
    wanted = [one for one in ranked if one.followed or one.must_phrases or one.watched or is_wanted(one.story, context)]
    anchors: set[str] = set()
    selection = select_stories(wanted, context, anchors)
    if digest.kind == "week":
        of_week = [each.story for each in ranked]
        selection.main = [
            (each, add_week(shown, of_week, [below.story for below in selection.related.get(shown.id, ())], context))
            for each, shown in selection.main
        ]
    briefs = (*_briefs(selection, context), *_silent_followed(ranked, context))
    sections = _sections(selection, context, anchors, has_lines=any(each.quiet_days is not None for each in briefs))
    shown = [story for section in sections for story in section.stories]
    texts = [*(story.headline for story in shown), *(brief.headline for brief in briefs)]
    texts += [sentence.shown_text for story in shown for sentence in story.quoted]
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
        ledger=build_ledger(ranked, wanted, inputs.intake, shown, briefs, context),
        reading_minutes=reading_time(texts),
        note=digest.note,
        corrections=inputs.corrections,
        ended=ended_stories(context, ranked, continued),
        at=inputs.at,
        previous_at=previous.at if previous else None,
    )


def is_wanted(story: Story, context: ComposeContext) -> bool:
    """Whether a story is about one of the digest's regions or countries; True if the digest names none."""
    regions = context.digest.regions
    return not regions or any(code in regions or region_of(code) in regions for code in context.find_countries(story))


def _sections(
    selection: StorySelection, context: ComposeContext, anchors: set[str], *, has_lines: bool
) -> tuple[Section, ...]:
    """Return the sections, that of the followed stories first. `has_lines`: some of these stories are briefs."""
    followed = section_title("followed", context.digest.language)
    by_title: defaultdict[str, list[EditionStory]] = defaultdict(list)
    for ranked, shown in selection.main:
        related = (compose_brief(each, context) for each in selection.related.get(ranked.story.id, ()))
        title = choose_section(context.present(ranked.story), shown.place_codes, context.digest)
        title = followed if ranked.followed else title
        by_title[title].append(replace(shown, related=tuple(brief for brief in related if brief)))
    titles = section_order([title for title in by_title if title != followed], context.digest)
    if has_lines or followed in by_title:
        titles.insert(0, followed)
    sections, number = [], count(1)
    for title in titles:
        stories = tuple(replace(story, number=next(number)) for story in by_title[title])
        anchor = make_section_anchor(title, anchors)
        sections.append(Section(title=title, anchor=anchor, stories=stories, followed=title == followed))
    return tuple(sections)


def _silent_followed(ranked: Sequence[RankedStory], context: ComposeContext) -> Iterator[Brief]:
    """Yield the followed threads without a report in the window; once more after `MAX_QUIET_DAYS`, then no more."""
    in_window = {each.story.thread for each in ranked}
    gap = (context.local_date - context.previous.local_date).days if context.previous else 0
    for brief, last_at in sorted(context.followed.values(), key=lambda pair: pair[1], reverse=True):
        days = day_number(last_at, context) - 1
        if brief.thread not in in_window and days - gap < MAX_QUIET_DAYS:
            translation = context.translate("headlines", brief.title, brief.language)
            yield replace(brief, translation=translation, quiet_days=days)


def _briefs(selection: StorySelection, context: ComposeContext) -> tuple[Brief, ...]:
    """Return the foreign stories and the others as briefs, best first; stories without a title are left out."""
    found = [compose_brief(each, context) for each in (*(each for each, _ in selection.foreign), *selection.briefs)]
    found += [
        replace(brief, status=shown.status, day=shown.day, quiet_days=0 if each.followed else None)
        for each, shown in selection.quiet
        if (brief := compose_brief(each, context))
    ]
    return tuple(brief for brief in found if brief)


def choose_section(present: Sequence[Article], places: Sequence[str], digest: DigestSettings) -> str:
    """
    Return the title of a story's section. `places` are the countries that it is about, the main one first.

    The first matching section rule decides. Else the digest's `sections` are matched with the articles' sections, then
    with the region's names. If none matches, it is the title of the region, or "Other stories" without a place.
    """
    if rule := match_section_rule(digest.section_rules, present, places):
        return rule
    wanted, language = digest.sections, digest.language
    region = region_of(places[0] if places else None)
    if wanted:
        names = {_plain(name): name for name in wanted}
        own = (_plain(article.section) for article in present if article.section)
        counts = Counter(names[section] for section in own if section in names)
        if counts:
            return min(counts, key=lambda name: (-counts[name], wanted.index(name)))
        for spelling in map(_plain, (region, region_title(region, language), region_title(region, "en"))):
            if spelling in names:
                return names[spelling]
    return section_title(region, language)


def section_order(titles: Sequence[str], digest: DigestSettings) -> list[str]:
    """
    Return the distinct titles in page order.

    `titles` are the sections of the stories, best story first. The digest's own sections come first, in their order. If
    it has none, the lead's section comes first, then the others by their best story, and stories without a place last.
    """
    found, wanted = list(dict.fromkeys(titles)), digest.sections
    if wanted:
        return [name for name in wanted if name in found] + [name for name in found if name not in set(wanted)]
    rest = section_title(REGIONS[-1], digest.language)
    return found[:1] + [name for name in found[1:] if name != rest] + [name for name in found[1:] if name == rest]


def make_section_anchor(title: str, taken: set[str]) -> str:
    """Return an ASCII anchor for a section, and add it to `taken`."""
    slug = "-".join(latin_words(title))
    return add_distinct(slug if slug[:1].isalpha() else f"section-{slug or len(taken) + 1}", taken)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", fold(name)).strip()


def ended_stories(
    context: ComposeContext, ranked: Sequence[RankedStory], continued: Collection[str]
) -> tuple[Brief, ...]:
    """
    Return up to `MAX_ENDED` stories of the last edition that no story continues; `continued`: ids with a follow-up.

    A story of which an outlet was not read is left out: that outlet may report it still. So is one that is followed.
    """
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
    )[:MAX_ENDED]


def _outlet_of_headline(story: EditionStory, context: ComposeContext) -> str:
    """Return the outlet whose title is a story's headline; the story may mention another report of that outlet."""
    articles = (context.earlier_articles.get(key) for key in story.article_ids)
    named = (article.outlet for article in articles if article and article.url == story.url)
    mentioned = (mention.outlet for mention in story.mentions if mention.url == story.url)
    return next(named, None) or next(mentioned, story.mentions[0].outlet)


MAX_RELATED = 3  # stories listed under one story
MAX_BARE = 100  # stories of one outlet alone that are composed, and turn out to have a headline alone
QUIET_FACTOR = 2  # quiet stories (nothing is new in them) shown as briefs for each story shown in full, at most
MAX_WATCHED = 10  # watched stories shown as briefs beyond the digest's number of briefs


@dataclass(slots=True)
class StorySelection:
    """The stories that an edition shows, best first; each story occurs once at most."""

    main: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)  # shown in full
    # Stories listed under a main story, by its id.
    related: dict[str, list[RankedStory]] = field(default_factory=lambda: defaultdict(list))
    briefs: list[RankedStory] = field(default_factory=list)
    quiet: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)
    foreign: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)  # briefs that rank as `main` do


def select_stories(ranked: Sequence[RankedStory], context: ComposeContext, anchors: set[str]) -> StorySelection:
    """
    Choose the stories to show from `ranked`, best first, and add their anchors to `anchors`.

    Stories that the reader follows come first. They take no place, and are shown in full whenever they have news.
    Next are those with a `must` phrase, then those of several outlets or that the reader's own weights raise, then the
    others, then those of one outlet that have a headline alone: no sentence of them can be shown. A quiet story
    (nothing is new) is shown as a brief and takes no place, and so is one that the reader cannot read. A story can only
    be a brief if all its articles are flagged (galleries, videos). Of a thread, the first story with news is shown,
    with up to `MAX_RELATED` others listed under it. A story without a title is not shown.
    """
    stories = places = context.digest.stories
    flagged = {key for key, article in context.articles.items() if is_flagged(article)}
    chosen = StorySelection()
    shown_by_thread: dict[str, str] = {}
    pending: list[RankedStory] = []
    bare: dict[str, EditionStory] = {}  # headlines alone; their turn comes again after the others
    queue = sorted(ranked, key=lambda each: (not each.followed, not each.must_phrases, _is_set_back(each)))
    order = {each.story.id: number for number, each in enumerate(queue)}
    for each in queue:
        thread, again = each.event, each.story.id in bare
        if head := shown_by_thread.get(thread):
            if len(chosen.related[head]) < MAX_RELATED:
                chosen.related[head].append(each)
            elif again:
                pending.append(each)
        elif not each.followed and (len(chosen.main) == places or flagged.issuperset(each.story.articles)):
            pending.append(each)
        elif again:
            shown_by_thread[thread] = each.story.id
            chosen.main.append((each, bare[each.story.id]))
        elif len(bare) == MAX_BARE:
            pending.append(each)
        elif (shown := compose_story(each, context, taken=anchors)) is None:
            continue
        elif shown.status == "quiet" and not each.must_phrases:
            if each.followed or len(chosen.quiet) < QUIET_FACTOR * stories:
                chosen.quiet.append((each, shown))
        elif not (each.followed or shown.translation or context.can_read(shown.title_language)):
            if len(chosen.foreign) < stories:
                chosen.foreign.append((each, shown))
        elif shown.outlets == 1 and not (shown.summary or shown.updates or each.must_phrases or each.followed):
            bare[each.story.id] = shown
            queue.append(each)
        else:
            shown_by_thread[thread] = each.story.id
            if each.followed:
                shown_by_thread.setdefault(each.sibling_of or each.story.id, each.story.id)
                places += 1
            chosen.main.append((each, shown))
    pending.sort(key=lambda each: order[each.story.id])
    _attach_quiet_to_thread(chosen, shown_by_thread)
    _fill_briefs(chosen, pending, context.digest.briefs)
    chosen.main.sort(
        key=lambda pair: (_is_set_back(pair[0]), pair[0].story.id in bare, -pair[0].score, pair[0].story.id)
    )
    return chosen


def _is_set_back(ranked: RankedStory) -> bool:
    """Whether one outlet alone has a story, and the reader's own weights do not raise it."""
    raised = any(term.name == READER_TERM and term.value > 0 for term in ranked.score_terms)
    return len(ranked.coverage.outlets) == 1 and not raised


def _attach_quiet_to_thread(chosen: StorySelection, shown_by_thread: dict[str, str]) -> None:
    """Move quiet stories under the main story of their thread; keep one of each followed thread; drop the rest."""
    rest: list[tuple[RankedStory, EditionStory]] = []
    for each, shown in chosen.quiet:
        head = shown_by_thread.get(each.event)
        if head is None:
            if not each.followed or all(other.event != each.event for other, _ in rest):
                rest.append((each, shown))
        elif len(chosen.related[head]) < MAX_RELATED:
            chosen.related[head].insert(0, each)
    chosen.quiet = rest


def _fill_briefs(chosen: StorySelection, pending: Sequence[RankedStory], briefs: int) -> None:
    """Add the watched stories as briefs, then others until there are `briefs`; one story per thread."""
    told: set[str] = set()
    watched = [each for each in pending if each.watched][: briefs + MAX_WATCHED]
    for each in (*watched, *(each for each in pending if not each.watched)):
        thread = each.event
        if thread not in told and (each.watched or len(chosen.briefs) < briefs):
            told.add(thread)
            chosen.briefs.append(each)


def build_ledger(
    ranked: Sequence[RankedStory],
    among: Sequence[RankedStory],
    intake: Intake,
    shown: Sequence[EditionStory],
    briefs: Sequence[Brief],
    context: ComposeContext,
) -> Ledger:
    """Return the ledger of an edition. `among`: the stories of `ranked` admitted by its regions or phrases."""
    stories = {each.story.id: each.story for each in ranked}
    all_briefs = (*briefs, *(brief for story in shown for brief in story.related))
    in_one_line = [brief for brief in all_briefs if brief.id in stories]  # without the lines of followed stories of old
    taken = {story.id for story in shown} | {brief.id for brief in in_one_line}
    wanted = {each.story.id for each in among}
    left_out = count_left_out((_why_left_out(each, wanted), "") for each in ranked if each.story.id not in taken)
    values = context.articles.values()
    largest = find_largest_story(stories.values(), context.articles)
    title = find_headline(stories[largest.id], context) if largest else None
    came_in: dict[str, Any] = {each.name: getattr(intake, each.name) for each in fields(Intake)}
    return Ledger(
        **came_in | {"left_out": (*intake.left_out, *left_out)},
        articles=len(values),
        doubtful=sum(article.kind == DOUBTFUL for article in values),
        headline_only=sum(article.is_headline_only for article in values),
        outlets=len({article.outlet for article in values}),
        languages=len({article.language for article in values}),
        countries=len({article.country for article in values if article.country}),
        stories_found=len(ranked),
        stories_shown=len(shown),
        briefs_shown=len(in_one_line),
        largest=replace(largest, title=title.text if title else "") if largest else None,
    )


def _why_left_out(ranked: RankedStory, wanted: Container[str]) -> LeftOutKind:
    if ranked.story.id not in wanted:
        return LeftOutKind.OTHER_REGION
    if ranked.sibling_of:
        return LeftOutKind.SIBLING
    return LeftOutKind.SINGLE_OUTLET if len(ranked.coverage.outlets) == 1 else LeftOutKind.LOWER_RANK


# A quarter of a window's reports is seldom one event. In labelled news of single days that were chosen for their large
# events, the largest true story typically has a sixth to a tenth of them; wrongly merged stories have a third or more.
OVERSIZED_SHARE = 0.25
MIN_REPORTS = 100  # of a window: with fewer, one large event easily has a quarter of them


def find_largest_story(stories: Iterable[Story], inside: Container[str]) -> LargestStory | None:
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
        is_oversized=total >= MIN_REPORTS and share > OVERSIZED_SHARE,
    )
