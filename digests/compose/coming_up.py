"""The events to come that the reports of an edition announce, each with the sentence that says its day."""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

from digests.analysis.dates_ahead import (
    DateAhead,
    days_of_report,
    find_date_ahead,
    find_put_off,
    has_word,
    zones_of_outlet,
)
from digests.analysis.select import can_be_quoted, display_length
from digests.compose.context import ComposeContext
from digests.model.coming_event import ComingEvent
from digests.model.edition_story import EditionStory, Sentence
from digests.model.story import Story
from digests.settings.topics import LIGHT_TOPICS
from digests.summarise import readable
from digests.summarise.lead import fits_limit, make_sentence
from digests.summarise.openings import first_sentences
from watcher.model import Article
from watcher.text.words import stems, word_overlap

DateRead = TypeVar("DateRead")

EVENT_DAYS = range(31)  # from the day of an edition to that of an event
MAX_EVENTS = 60  # events of an edition, shown or not
NOON = time(12)  # from which on an event of the day may be over
MAX_EVENT_STORIES = 2_000  # the best of the period
MAX_EVENT_REPORTS = 16  # of a story, the latest, that are read
EVENT_TEXT_CHARS = 4_000  # of a report
MAX_EVENT_WIDTH = 300  # of a sentence
MAX_OF_STORY = 2  # lines, while other stories have some
MIN_TITLE_STEMS = 2  # with the titles of the story: what it announces is of the story
SAME_EVENT = 0.6  # overlap of the words of two sentences


def choose_coming_up(
    stories: Iterable[Story], shown: Mapping[str, EditionStory], context: ComposeContext
) -> tuple[ComingEvent, ...]:
    """
    Return the events that `stories`, the best first, announce, and those of the previous edition, by day.

    Of a story that is not among those `shown`, by id, they are left out if it is on a light topic. There is a line for
    as many as the digest's `coming_up`: those of today, those that were moved or called off, then those that most
    outlets announce.
    """
    if not context.digest.coming_up:
        return ()
    listed = list(islice(stories, MAX_EVENT_STORIES))
    known = [
        _update(event, listed, shown, context)
        for event in (context.previous.coming_up if context.previous else ())
        if not event.is_over(context.local_date) and (event.kind != "off" or not event.is_shown)
    ]
    for story, event in ((each, event) for each in listed for event in _find_events(each, shown, context)):
        is_light = story.id not in shown and context.find_topic(story) in LIGHT_TOPICS
        if is_light or (event.on - context.local_date).days not in EVENT_DAYS:
            continue
        same = next((at for at, each in enumerate(known) if _is_same(event, each)), None)
        if same is None:
            known.append(event)
        elif known[same].kind == "announced" and known[same].on != event.on:  # a later report gives another day
            known[same] = replace(event, id=known[same].id, sequence=known[same].sequence + 1)
        else:
            known[same] = replace(known[same], story=event.story, outlets=max(event.outlets, known[same].outlets))
    quoted = [sentence for story in shown.values() for sentence in story.quoted]
    known.sort(key=lambda event: (event.on, event.until, event.id))
    return _mark_shown(known[:MAX_EVENTS], [story.id for story in listed], quoted, context)


def _find_events(story: Story, shown: Container[str], context: ComposeContext) -> Iterator[ComingEvent]:
    """Yield the events that the reports of a story announce, the one with most outlets first, one for each day."""
    by_day: defaultdict[tuple[date, date], dict[Sentence, DateAhead]] = defaultdict(dict)
    for article in _reports(story, shown, context):
        title = set(stems(article.title, article.language))
        for found, sentence in _find_sentences(article, "ahead", partial(find_date_ahead, country=article.country)):
            is_of_story = len(title & set(stems(sentence.text, article.language))) >= MIN_TITLE_STEMS
            if is_of_story and context.can_show(sentence):
                by_day[found.on, found.until][sentence] = found
    given: list[Sentence] = []
    for _, dates in sorted(by_day.items(), key=lambda row: (-_count_outlets(row[1]), row[0])):
        said = sorted(dates, key=lambda each: (each.published_at, each.article_id, each.offset))
        # Reports that give two days for one event: the day that most of them give.
        if any(_says_same(each, other) for each in said for other in given):
            continue
        given += said
        for first in context.readable_beginning(said[:1]):
            on, until, begins_at = dates[said[0]].in_zone(ZoneInfo(context.digest.timezone))
            yield ComingEvent(
                id=sha256(f"{first.article_id}/{first.offset}".encode()).hexdigest()[:16],
                kind="announced",
                on=on,
                until=until,
                begins_at=begins_at,
                sentence=first,
                story=story.id,
                thread=story.thread,
                outlets=_count_outlets(said),
            )


def _count_outlets(said: Iterable[Sentence]) -> int:
    return len({each.outlet for each in said})


def _reports(story: Story, shown: Container[str], context: ComposeContext) -> list[Article]:
    """
    Return the latest reports of a story with full texts, without copies and those that may not be quoted.

    Those in languages that the reader does not read are only among them if the story is shown: its sentences may be
    translated.
    """
    origins = [group.origin for group in story.wire_groups if group.origin in context.articles]
    own = context.select_in_window(context.load_full_texts(origins))
    withheld = {key for notice in context.notices.get(story.id, ()) for key in notice.withheld}
    reports = [
        each
        for key, each in own.items()
        if key not in withheld and can_be_quoted(each) and (story.id in shown or context.can_read(each.language))
    ]
    return sorted(reports, key=lambda each: (each.published_at, each.id))[-MAX_EVENT_REPORTS:]


def _find_sentences(
    article: Article, words: str, find: Callable[[str, str, Set[date]], DateRead | None]
) -> Iterator[tuple[DateRead, Sentence]]:
    """
    Yield what `find` reads in the sentences of a report that can be quoted alone, each with its sentence.

    `words` is the list of which it looks for a word: few reports have one, and the others need not be split.
    """
    beginning = article.text[:EVENT_TEXT_CHARS]
    if not has_word(words, beginning, article.language):
        return
    days = days_of_report(article.published_at, article.country)
    for at, (start, end, is_clear) in enumerate(first_sentences(article, beginning)):
        text = article.text[start:end]
        found = find(text, article.language, days)
        if found is not None and is_clear and _stands_alone(article, start, end, is_first=at == 0):
            yield found, make_sentence(article, start, text)


def _stands_alone(article: Article, start: int, end: int, *, is_first: bool) -> bool:
    """Whether a sentence says whom and what it means where nothing stands above it."""
    text, language = article.text[start:end], article.language
    if display_length(text) > MAX_EVENT_WIDTH:
        return False
    if is_first:  # there is nothing before it that it could refer to
        return readable.stands_alone(text, language) and not readable.find_first_needs(text, language)
    return readable.stands_at_top(text, article.text[:start], language)


def _is_same(event: ComingEvent, other: ComingEvent) -> bool:
    """Whether two announcements are of one event: of one day and story, or in the same words and of one of these."""
    is_of_one_day = not {event.on, event.until}.isdisjoint((other.on, other.until, other.moved_from))
    is_of_one_story = event.story == other.story or bool(event.thread and event.thread == other.thread)
    says_same = _says_same(event.sentence, other.sentence)
    if is_of_one_day or not is_of_one_story:
        return is_of_one_day and (is_of_one_story or says_same)
    return says_same and event.sentence.published_at > other.last_said.published_at


def _says_same(one: Sentence, other: Sentence) -> bool:
    return one.language == other.language and word_overlap(one.text, other.text, one.language) >= SAME_EVENT


def _update(
    event: ComingEvent, stories: Sequence[Story], shown: Container[str], context: ComposeContext
) -> ComingEvent:
    """Return an event of an earlier edition with the story that reports it now, moved or off if a report says so."""
    own = [
        story
        for story in stories
        if (event.thread and story.thread == event.thread)
        or event.story in (story.id, *story.merged_ids)
        or event.sentence.article_id in story.articles
    ]
    event = replace(event, story=own[0].id if own else "", thread=own[0].thread if own else event.thread)
    changes = [change for story in own for change in _find_changes(event, story, shown, context)]
    if not changes:
        return event
    sentence, on = max(changes, key=lambda change: (change[0].published_at, change[0].article_id))
    event = replace(event, kind="off", change=sentence, sequence=event.sequence + 1)
    if on is None:
        return event
    return replace(event, kind="moved", on=on, until=on, begins_at=None, moved_from=event.moved_from or event.on)


def _find_changes(
    event: ComingEvent, story: Story, shown: Container[str], context: ComposeContext
) -> Iterator[tuple[Sentence, date | None]]:
    """Yield later sentences that an event is put off or called off, each with the new day if it names one."""
    for article in _reports(story, shown, context):
        if article.published_at <= event.last_said.published_at or article.language != event.sentence.language:
            continue
        for named, found in _find_sentences(article, "put_off", find_put_off):
            sentence = next(iter(context.readable_beginning((found,))), None)
            if sentence and _says_same(sentence, event.sentence):
                others = named - {event.on}
                yield sentence, next(iter(others)) if len(others) == 1 else None


def _mark_shown(
    events: Sequence[ComingEvent], stories: Sequence[str], quoted: Iterable[Sentence], context: ComposeContext
) -> tuple[ComingEvent, ...]:
    """
    Return the events with lines for those that are due or changed, then for those that most outlets announce.

    A sentence has no line if its article is quoted at length already, by `quoted` or another line, or if its event may
    be over.
    """
    rank = {story: place for place, story in enumerate(stories)}
    today = context.local_date

    def importance(event: ComingEvent) -> tuple[object, ...]:
        is_changed = event.change is not None and event.change.published_at >= context.window_start
        return not event.is_due(today), not is_changed, event.is_vague, -event.outlets, rank.get(event.story, len(rank))

    candidates = sorted((each for each in events if not _may_be_over(each, context)), key=importance)
    of_story: Counter[str] = Counter()
    lines: list[ComingEvent] = []
    for limit in (MAX_OF_STORY, len(events)):
        for event in candidates:
            others = (*quoted, *(each.last_said for each in lines))
            has_room = len(lines) < context.digest.coming_up and of_story[event.story or event.id] < limit
            if has_room and event not in lines and fits_limit(event.last_said, others):
                of_story[event.story or event.id] += 1
                lines.append(event)
    return tuple(replace(event, is_shown=event in lines) for event in events)


def _may_be_over(event: ComingEvent, context: ComposeContext) -> bool:
    """Whether an event has begun, or, if its time is not known, it is noon of its last day for the reader or there."""
    if event.kind == "off":
        return False
    if event.begins_at:
        return event.begins_at <= context.window_end
    key = event.sentence.article_id
    article = context.articles.get(key) or context.earlier_articles.get(key)
    zones = (ZoneInfo(context.digest.timezone), *zones_of_outlet(article.country if article else None))
    return any(context.window_end >= datetime.combine(event.until, NOON, zone) for zone in zones)
