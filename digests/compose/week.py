"""The week of a story: a sentence for each day of its thread, its figures from the first to the last, and its end."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import chain, product
from zoneinfo import ZoneInfo

from digests.analysis.numbers import significant_numbers
from digests.analysis.select import can_be_quoted
from digests.analysis.story_coverage import measure_coverage
from digests.compose.changes import follow_up_share
from digests.compose.context import ComposeContext
from digests.model.edition_story import EditionStory, NumberChange, Sentence, Turn
from digests.model.story import Story
from digests.summarise.agreement import measure_agreement
from digests.summarise.lead import find_candidates
from digests.summarise.number_changes import changed_numbers
from digests.summarise.repetition import is_repetition
from watcher.model import Article
from watcher.text.words import stems

MAX_TURNS = 8  # days of a story: a week may begin and end on the same day of the week
MAX_DAY_REPORTS = 12  # of a story and a day that are read
MAX_REPORTS_COMPARED = 6  # reports of a story that are compared with those of another one
MIN_MEANING = 0.45  # likeness of two stories of a thread with vectors, from which on both are told (decision 0037)
MAX_NEW_NUMBERS = 2  # that raise the score of a sentence
ENDED_AFTER = timedelta(days=2)  # without a report


def add_week(shown: EditionStory, stories: list[Story], listed: list[Story], context: ComposeContext) -> EditionStory:
    """
    Return a story with the turns of its thread in the window, and the day of its last report if it has ended.

    If it has two turns or more, they take the place of the summary and of what is new since the last edition.
    It has not ended while its thread, or a story that is `listed` below it, goes on.
    """
    by_day = _reports_by_day(_stories_to_tell(shown, {each.id: each for each in stories}, context), context)
    thread = [each for each in stories if each.id == shown.id or (shown.thread and each.thread == shown.thread)]
    times = [article.published_at for each in (*thread, *listed) for article in context.present(each)]
    if times and max(times) < context.window_end - ENDED_AFTER:
        outlets = {mention.outlet for mention in shown.mentions}
        if outlets <= context.outlets_read:  # an outlet that was not read may report it still
            shown = replace(shown, ended_on=max(by_day))
    turns = _find_turns(by_day, context, title=stems(shown.title, shown.title_language))
    if len(turns) < 2:
        return shown
    figures = _compare_figures([turn.sentence for turn in turns])
    return replace(shown, turns=turns, turn_figures=figures, summary=(), updates=(), latest=None, number_changes=())


def _stories_to_tell(shown: EditionStory, stories: Mapping[str, Story], context: ComposeContext) -> list[Story]:
    """
    Return the story that is shown and those of its thread with a report in similar words, and with a similar meaning.

    A thread may go on for long, so its last story may be about something else than the first. The parts of a story
    beside its core, "2-s1f…", are left out: they fit less well, and an edition quotes the core only.
    """
    cores = (each for key, each in stories.items() if key.partition("-")[2] not in stories)
    others = [each for each in cores if shown.thread and each.thread == shown.thread and each.id != shown.id]
    reports_now = first_reports(stories[shown.id], context)

    def is_alike(other: Story) -> bool:
        """Whether another story continues this one, by the words of its first reports and by their meaning."""
        theirs = first_reports(other, context)
        pairs = ((a, b) for a, b in product(theirs, reports_now) if a.language == b.language)
        if not any(follow_up_share(a, b, context.frequencies) for a, b in pairs):
            return False
        article_ids = [[article.id for article in reports] for reports in (reports_now, theirs)]
        meaning = context.nearest.compare_meanings(article_ids)[0, 1]
        return not meaning or meaning >= MIN_MEANING

    return [stories[shown.id], *filter(is_alike, others)]


def first_reports(story: Story, context: ComposeContext) -> list[Article]:
    """Return the first reports of a story, independent ones before copies, with full texts."""
    present = {article.id: article for article in context.present(story) if can_be_quoted(article)}
    order = dict.fromkeys((*measure_coverage(story, present).origins, *present))
    return list(context.load_full_texts(list(order)[:MAX_REPORTS_COMPARED]).values())


def _reports_by_day(stories: Iterable[Story], context: ComposeContext) -> dict[date, list[tuple[Story, list[Article]]]]:
    """Return the articles of each story by the local date on which they were published, in time order."""
    zone, by_day = ZoneInfo(context.digest.timezone), defaultdict[date, list[tuple[Story, list[Article]]]](list)
    for story in stories:
        of_story: defaultdict[date, list[Article]] = defaultdict(list)
        for article in context.present(story):
            of_story[article.published_at.astimezone(zone).date()].append(article)
        for day, articles in of_story.items():
            by_day[day].append((story, articles))
    return by_day


def _find_turns(
    by_day: Mapping[date, Sequence[tuple[Story, list[Article]]]], context: ComposeContext, *, title: Sequence[str]
) -> tuple[Turn, ...]:
    """Return a sentence for each of the last `MAX_TURNS` days that has one which says more than those before it."""
    turns: list[Turn] = []
    for day in sorted(by_day)[-MAX_TURNS:]:
        sentence = _choose_turn(by_day[day], [turn.sentence for turn in turns], context, title=title)
        if sentence is not None:
            turns.append(Turn(day=day, sentence=sentence))
    return tuple(turns)


def _choose_turn(
    reports: Iterable[tuple[Story, list[Article]]],
    told: Sequence[Sentence],
    context: ComposeContext,
    *,
    title: Collection[str],
) -> Sentence | None:
    """
    Return the sentence of a day that covers best what its reports agree on; sentences with new figures come first.

    None if no sentence can stand alone, can be shown to the reader, and says more than the sentences `told` before.
    """
    shown_stems = [frozenset(stems(sentence.text, sentence.language)) for sentence in told]
    numbers = {number for sentence in told for number in significant_numbers(sentence.text)}
    candidates = []
    for story, among in reports:
        articles = context.load_full_texts(article.id for article in among if can_be_quoted(article))
        agreed = measure_agreement(story, articles, context.frequencies)
        languages = context.languages_for("sentences", articles)
        order = dict.fromkeys((*measure_coverage(story, articles).origins, *articles))
        sources = [articles[key] for key in order if articles[key].language in languages]
        find = partial(find_candidates, agreed=agreed, whole=context.whole)
        for candidate in chain.from_iterable(map(find, sources[:MAX_DAY_REPORTS])):
            new = significant_numbers(candidate.text) - numbers
            repeats = any(is_repetition(candidate.stems, about) for about in shown_stems)
            if (new or not repeats) and candidate.can_follow(told, title):
                rank = languages.index(candidate.article.language)
                score = candidate.score * (1 + min(MAX_NEW_NUMBERS, len(new)))
                candidates.append((rank, -score, candidate.article.id, candidate.start, candidate.sentence))
    shown = (context.readable_beginning([row[-1]]) for row in sorted(candidates, key=lambda row: row[:-1]))
    return next((sentence for sentences in shown for sentence in sentences), None)


def _compare_figures(sentences: Sequence[Sentence]) -> tuple[NumberChange, ...]:
    """Return how numbers changed from the first of `sentences` that has one to the last; one change for each unit."""
    changes: dict[str, NumberChange] = {}
    for at in range(len(sentences) - 1, 0, -1):
        for first in sentences[:at]:
            for change in changed_numbers([sentences[at]], [first]):
                changes.setdefault(change.what.casefold(), change)
    return tuple(changes.values())
