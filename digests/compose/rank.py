"""Ranks an edition's stories by a sum of a few terms, each with words for a reader."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from digests.analysis.coverage import Coverage, measure_coverage
from digests.analysis.preferences import matching_phrases, score_weights
from digests.analysis.select import is_flagged
from digests.compose.context import ComposeContext
from digests.model import Brief, EditionStory, ScoreTerm, Story
from watcher.model import Article
from watcher.text.format import format_count
from watcher.text.words import stems

FRESH_HALF_LIFE_S = 12 * 3600.0  # a story whose latest own report is this old has half the freshness
SIBLING_SIMILARITY = 0.34  # cosine of two stories' title words, 0 to 1, from which on they are about one event
SIBLING_LIKENESS = 0.45  # the same plus the likeness of their meanings, for a story of `SMALL` outlets at most
SMALL = 6  # outlets: a larger story stays a story of its own
READER_TERM = "reader"  # of the reader's own weights
AKIN_SIMILARITY, AKIN_LIKENESS = 0.1, 0.35  # the same for a headline without a sentence: without vectors, with them
SIBLINGS_AMONG = 200  # stories, from the top, that are compared with each other
TITLES = 24  # titles of a story whose words are compared
# The weights of the terms. Logarithms (base 2) make the second report count more than the twentieth. With these
# weights, one doubling of the independent reports moves a story as far as four doublings of copies.
WEIGHTS = {
    "independent": 2.0,  # log2 of the independent reports
    "carried": 0.5,  # log2 of the outlets, copies included
    "countries": 0.5,  # log2 of the outlets' countries
    "languages": 0.5,  # log2 of the languages
    "owners": 0.5,  # log2 of the owners behind the independent reports
    "freshness": 1.0,  # 1 for a report at the end of the window, half after `FRESH_HALF_LIFE_S`
    "movement": 0.5,  # 1 if new or twice the independent reports of the last edition, 0 if as many, -1 if half
    "readable": 0.75,  # 1 if there is a report in the digest's language
    "sibling": -1.5,  # for each story above it on the same event
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedStory:
    """A story with its score."""

    story: Story
    score: float
    score_terms: tuple[ScoreTerm, ...]
    coverage: Coverage
    sibling_of: str | None = None  # the id of the higher story on the same event or in the same thread
    akin: frozenset[str] = frozenset()  # ids of stories that may be on the same event
    must_phrases: tuple[str, ...] = ()  # phrases of the digest's `must` that it contains
    watched: tuple[str, ...] = ()  # phrases of the digest's `watch` that it contains
    followed: bool = False  # the reader follows its thread

    @property
    def event(self) -> str:
        """The same for stories of which one is shown in full: of a followed thread, else of siblings."""
        return self.story.thread if self.followed else self.sibling_of or self.story.id


def rank(stories: Sequence[Story], context: ComposeContext) -> tuple[RankedStory, ...]:
    """
    Return the stories, best first; equal scores are ordered by id.

    A story like a higher one in words and meaning, or of its thread, is its sibling. It loses points for each story
    above it on that event: one event must not fill an edition. Stories without an article in the window are left out.
    """
    previous = context.previous
    told: list[Brief | EditionStory] = [*previous.briefs, *previous.stories] if previous else []
    before = {key: entry.independent for entry in told for key in entry.article_ids}
    scored = []
    for story in stories:
        if present := context.present(story):
            covered = measure_coverage(story, context.articles)
            moved = _report_growth(story, len(covered.independent), before) if previous else None
            terms = (*_terms(present, covered, moved, context), *_reader_terms(story, present, context))
            scored.append(
                RankedStory(
                    story=story,
                    score=_total(terms),
                    score_terms=terms,
                    coverage=covered,
                    must_phrases=matching_phrases(context.digest.must, present),
                    watched=matching_phrases(context.digest.watch, present),
                    followed=story.thread in context.followed,
                )
            )
    scored.sort(key=_place)
    return tuple(sorted(_with_siblings(scored, context), key=_place)) if scored else ()


def _place(ranked: RankedStory) -> tuple[float, str]:
    return -ranked.score, ranked.story.id


def _total(terms: Sequence[ScoreTerm]) -> float:
    return round(sum(term.value * term.weight for term in terms), 6)


def _terms(
    present: Sequence[Article], covered: Coverage, moved: tuple[float, str] | None, context: ComposeContext
) -> tuple[ScoreTerm, ...]:
    latest = max((a.published_at for a in present if not is_flagged(a)), default=present[-1].published_at)
    age_s = max(0.0, (context.window_end - latest).total_seconds())
    # In a week, a report of some days ago is as fresh as one of some hours ago is in a day.
    half_life_s = FRESH_HALF_LIFE_S * (7 if context.digest.kind == "week" else 1)
    hours = round(age_s / 3600)
    age = "under an hour" if hours < 1 else format_count(hours, "hour")
    readable = any(context.can_read(article.language) for article in present)
    rows = (
        ("freshness", 0.5 ** (age_s / half_life_s), f"last report {age} old"),
        ("movement", *(moved or (0.0, "no earlier edition to compare with"))),
        ("readable", float(readable), f"{'a' if readable else 'no'} report in your language"),
    )
    return (*count_terms(covered), *(_term(name, value, WEIGHTS[name], words) for name, value, words in rows))


def count_terms(covered: Coverage) -> tuple[ScoreTerm, ...]:
    """Return the terms of a story's score that are counts of its coverage."""
    independent, outlets = len(covered.independent), len(covered.outlets)
    countries, languages = len(covered.countries), len(covered.languages)
    rows = (
        ("independent", independent, format_count(independent, "independent report")),
        ("carried", outlets, f"carried by {format_count(outlets, 'outlet')}"),
        ("countries", countries, f"outlets from {format_count(countries, 'country', 'countries')}"),
        ("languages", languages, f"in {format_count(languages, 'language')}"),
        ("owners", covered.owners, format_count(covered.owners, "owner")),
    )
    return tuple(_term(name, math.log2(max(count, 1)), WEIGHTS[name], words) for name, count, words in rows)


def _reader_terms(story: Story, present: Sequence[Article], context: ComposeContext) -> tuple[ScoreTerm, ...]:
    """Return the term of the reader's own weights; empty if none applies to the story."""
    weights = context.digest.weights
    found = score_weights(weights, present, context.find_countries(story) if weights.countries else ())
    if not found:
        return ()
    words = ", ".join(f"{what} {weight:+g}" for what, weight in found)
    return (_term(READER_TERM, sum(weight for _, weight in found), 1.0, f"your weights: {words}"),)


def _report_growth(story: Story, own: int, before: Mapping[str, int]) -> tuple[float, str]:
    counts = [before[key] for key in story.articles if key in before]
    if not counts:
        return 1.0, "not in the last edition"
    value = math.log2((own + 1) / (max(counts) + 1))
    return max(-1.0, min(1.0, value)), f"{format_count(own, 'independent report')}, {max(counts)} in the last edition"


def _term(name: str, value: float, weight: float, words: str) -> ScoreTerm:
    return ScoreTerm(name=name, value=round(value, 6), weight=weight, words=words)


def _with_siblings(scored: Sequence[RankedStory], context: ComposeContext) -> list[RankedStory]:
    """Return the stories, with a sibling term added to each that is on the same event as a higher one."""
    top = scored[:SIBLINGS_AMONG]
    titles = [context.present(ranked.story)[:TITLES] for ranked in top]
    words = _compare_words(titles)
    meaning = context.nearest.compare_meanings([[each.id for each in own] for own in titles])
    likeness = words + meaning
    is_akin = likeness >= AKIN_LIKENESS if meaning.any() else words >= AKIN_SIMILARITY
    akin = [frozenset(top[i].story.id for i in np.flatnonzero(row).tolist()) for row in is_akin]
    found: list[RankedStory] = []
    family: dict[int, list[int]] = {}
    for at, ranked in enumerate(top):
        thread = ranked.story.thread
        near = set(np.flatnonzero(words[at, :at] >= SIBLING_SIMILARITY).tolist())
        if len(ranked.coverage.outlets) <= SMALL:
            alike = np.flatnonzero(likeness[at, :at] >= SIBLING_LIKENESS).tolist()
            near.update(i for i in alike if not _are_apart(ranked.story, top[i].story, context))
        heads = (i for i in family if near.intersection(family[i]) or (thread and top[i].story.thread == thread))
        head = next(heads, None)
        if head is None:
            family[at] = [at]
            found.append(replace(ranked, akin=akin[at]))
            continue
        term = _term("sibling", float(len(family[head])), WEIGHTS["sibling"], "a higher story is about the same event")
        family[head].append(at)
        why = (*ranked.score_terms, term)
        found.append(replace(ranked, score=_total(why), score_terms=why, sibling_of=top[head].story.id, akin=akin[at]))
    return [*found, *scored[SIBLINGS_AMONG:]]


def _are_apart(one: Story, other: Story, context: ComposeContext) -> bool:
    """Whether two stories are about different countries, as two strikes of dockers can be."""
    places, others = (frozenset(context.find_countries(story)) for story in (one, other))
    return bool(places and others) and places.isdisjoint(others)


def _compare_words(titles: Sequence[Sequence[Article]]) -> npt.NDArray[np.float64]:
    """Return the cosines of the tf-idf weights of the words in the stories' titles: a row and a column for each."""
    counts = [Counter(word for each in own for word in stems(each.title, each.language)) for own in titles]
    among = Counter(word for words in counts for word in words)
    column = {word: n for n, word in enumerate(word for word, stories in among.items() if stories > 1)}
    vectors = np.zeros((len(titles), len(column)))
    for row, words in enumerate(counts):
        weighted = {w: (1 + math.log(n)) * math.log(1 + len(titles) / among[w]) for w, n in sorted(words.items())}
        length = math.sqrt(sum(value * value for value in weighted.values())) or 1.0
        for word, value in weighted.items():
            if word in column:  # a word of one story alone only counts in the length
                vectors[row, column[word]] = value / length
    return np.asarray(vectors @ vectors.T)
