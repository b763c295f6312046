"""Composes an edition: its sections and briefs, and the stories of the last edition that have ended."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import count

from digests.analysis.country_names import REGIONS, region_of, region_title
from digests.analysis.preferences import match_section_rule
from digests.analysis.select import is_flagged
from digests.compose.choose import StorySelection, select_stories
from digests.compose.context import ComposeContext
from digests.compose.ledger import build_ledger
from digests.compose.rank import RankedStory, rank
from digests.compose.story import add_distinct, compose_brief, compose_story, latin_words, reading_time
from digests.model import Brief, Correction, Edition, EditionStory, Intake, Section, Story
from digests.settings.digests import DigestSettings
from watcher.model import Article
from watcher.text.words import fold

MAX_ENDED = 10  # stories of the last edition that no new article continues


def compose_edition(
    stories: Sequence[Story],
    context: ComposeContext,
    *,
    intake: Intake,
    number: int,
    made_at: datetime,
    corrections: Sequence[Correction],
) -> Edition:
    """Return the edition of `stories`: the main ones in sections, numbered from 1, others as briefs, and the ledger."""
    digest, previous, ranked = context.digest, context.previous, rank(stories, context)
    wanted = [each for each in ranked if each.must_phrases or each.watched or _is_wanted(each.story, context)]
    flagged = frozenset(key for key, article in context.articles.items() if is_flagged(article))
    anchors: set[str] = set()
    compose = partial(compose_story, context=context, taken=anchors)
    selection = select_stories(wanted, compose, stories=digest.stories, briefs=digest.briefs, flagged=flagged)
    sections, briefs = _sections(selection, context, anchors), _briefs(selection, context)
    shown = [story for section in sections for story in section.stories]
    texts = [story.title for story in shown] + [brief.title for brief in briefs]
    texts += [sentence.text for story in shown for sentence in (*story.summary, *story.updates)]
    followed = {story.earlier_story for _, story in (*selection.main, *selection.quiet)}
    return Edition(
        digest=digest.name,
        title=digest.title,
        number=number,
        local_date=context.local_date,
        timezone=digest.timezone,
        language=digest.language,
        window_start=context.window_start,
        window_end=context.window_end,
        made_at=made_at,
        previous=previous.local_date if previous else None,
        sections=sections,
        briefs=briefs,
        ledger=build_ledger(ranked, wanted, intake, selection, shown, briefs, context),
        reading_minutes=reading_time(texts),
        note=digest.note,
        corrections=tuple(corrections),
        ended=ended_stories(previous, ranked, followed) if previous else (),
    )


def _is_wanted(story: Story, context: ComposeContext) -> bool:
    """Whether a story is about one of the digest's regions or countries; True if the digest names none."""
    regions = context.digest.regions
    return not regions or any(code in regions or region_of(code) in regions for code in context.find_countries(story))


def _sections(selection: StorySelection, context: ComposeContext, anchors: set[str]) -> tuple[Section, ...]:
    by_title: defaultdict[str, list[EditionStory]] = defaultdict(list)
    for ranked, shown in selection.main:
        related = (compose_brief(each, context) for each in selection.related.get(ranked.story.id, ()))
        title = choose_section(context.present(ranked.story), shown.place_codes, context.digest)
        by_title[title].append(replace(shown, related=tuple(brief for brief in related if brief)))
    sections, number = [], count(1)
    for title in section_order(list(by_title), context.digest):
        stories = tuple(replace(story, number=next(number)) for story in by_title[title])
        sections.append(Section(title=title, anchor=make_section_anchor(title, anchors), stories=stories))
    return tuple(sections)


def _briefs(selection: StorySelection, context: ComposeContext) -> tuple[Brief, ...]:
    """Return the chosen briefs, then the quiet stories as briefs; stories without a title are left out."""
    found = [compose_brief(each, context) for each in selection.briefs]
    found += [
        replace(brief, status=shown.status, day=shown.day)
        for each, shown in selection.quiet
        if (brief := compose_brief(each, context))
    ]
    return tuple(brief for brief in found if brief)


def choose_section(present: Sequence[Article], places: Sequence[str], digest: DigestSettings) -> str:
    """
    Return the title of a story's section. `places` are the countries that it is about, the main one first.

    The first matching section rule decides. Else the digest's `sections` are matched with the articles' sections, then
    with the region's names. If none matches, it is the title of the region.
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
    return region_title(region, language)


def section_order(titles: Sequence[str], digest: DigestSettings) -> list[str]:
    """
    Return the distinct titles in page order.

    `titles` are the sections of the stories, best story first. The digest's own sections come first, in their order. If
    it has none, the lead's section comes first, then the others by their best story, and the rest of the world last.
    """
    found, wanted = list(dict.fromkeys(titles)), digest.sections
    if wanted:
        return [name for name in wanted if name in found] + [name for name in found if name not in set(wanted)]
    rest = region_title(REGIONS[-1], digest.language)
    return found[:1] + [name for name in found[1:] if name != rest] + [name for name in found[1:] if name == rest]


def make_section_anchor(title: str, taken: set[str]) -> str:
    """Return an ASCII anchor for a section, and add it to `taken`."""
    slug = "-".join(latin_words(title))
    return add_distinct(slug if slug[:1].isalpha() else f"section-{slug or len(taken) + 1}", taken)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", fold(name)).strip()


def ended_stories(previous: Edition, ranked: Sequence[RankedStory], followed: Collection[str]) -> tuple[Brief, ...]:
    """Return up to `MAX_ENDED` stories of `previous` that no story continues; `followed`: ids with a follow-up."""
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
        and story.id not in followed
        and story.thread not in threads
        and not articles & set(story.article_ids)
    )[:MAX_ENDED]
