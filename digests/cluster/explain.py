"""Explanations: why two articles are in one story or not, what sets of articles share, and how copies differ."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np

from digests.cluster.constraints import UserCorrection, cannot_link, resolve_corrections
from digests.cluster.item import ClusterItem, time_apart
from digests.cluster.likeness import IDLE_HOURS, Pairs, measure_pairs
from digests.cluster.linkage import power_mean
from digests.cluster.near_duplicates import make_fingerprint, measure_overlap, title_key
from digests.cluster.pair_model import Answer, Numbers, models_for
from digests.cluster.telling_keys import TellingKeys, is_telling_number, weak_words
from digests.cluster.vectorize import center_by_language
from digests.model.story import WireGroup
from watcher.features.extract import term_weights
from watcher.text.format import format_duration
from watcher.text.sentences import sentences
from watcher.text.words import fold, stems, to_latin, tokens, words


class Decision(StrEnum):
    """The reason why two articles are in one story or not."""

    SAME_REPORT = "same report"
    JOINED = "joined"  # by a user correction
    SAME_STORY = "same story"
    RULED = "ruled"  # a user correction keeps them apart
    SILENT = "silent"  # one has no vote
    TOO_FAR = "too far in time"
    BELOW = "below"  # the probability of the two
    STORIES_BELOW = "stories below"  # the probabilities of their stories' reports, together
    OPEN = "open"  # they are near enough, and one is in no story yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence for and against two articles, `a` and `b`, being on one event."""

    names: tuple[str, ...]
    terms: tuple[str, ...]
    numbers: tuple[str, ...]
    wording: float  # share of the shorter text that the longer one has, 0 to 1
    vector: float | None  # cosine, centered by language; None without vectors of one embedder
    hours_apart: float | None  # None if one has no time
    same_language: bool
    only_a: tuple[str, ...]  # names and numbers that the other article does not have
    only_b: tuple[str, ...]
    decided: tuple[tuple[str, float], ...] = ()  # what spoke for one event (above 0) and against it (`weigh_evidence`)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairExplanation:
    """The reason why two articles are in one story or not, with the probabilities behind it."""

    kind: Decision
    evidence: Evidence
    score: float  # probability that the two are on one event; 0 if each has many nearer articles
    average: float  # power mean of all pairs of their stories' reports
    threshold: float  # of `average`, from which on two groups are one story
    both_in_stories: bool = True  # if False, `kind` is what grouping would decide now


def explain_pair(
    a: str,
    b: str,
    items: Sequence[ClusterItem],
    *,
    stories: Mapping[str, str],
    reports: Mapping[str, str],
    corrections: Sequence[UserCorrection],
) -> PairExplanation:
    """
    Return the decision on the articles `a` and `b` of a window, with its evidence.

    `items` are sorted by time. `stories` has the id of each article's stored story, and `reports` the id of the first
    article of its report, both by article id. `corrections` are those in force, the oldest first.
    """
    pairs, answer = measure_pairs(items), models_for(items).event
    node = {item.article_id: number for number, item in enumerate(items)}

    def representatives_of(article: str) -> list[int]:
        """Return the nodes that represent the reports of an article's story; its own node if it has no story."""
        heads = {reports[key] for key, story in stories.items() if story == stories.get(article)}
        return sorted(node[key] for key in heads if key in node) or [node[article]]

    ours, theirs = representatives_of(a), representatives_of(b)
    one, other = items[node[a]], items[node[b]]
    stories_of_pair = {stories.get(a, a), stories.get(b, b)}
    others = [item for item in items if stories.get(item.article_id, item.article_id) not in stories_of_pair]
    evidence = collect_evidence(one, other, TellingKeys(others[-MAX_OTHERS:]))
    evidence = replace(evidence, decided=weigh_evidence(pairs, answer, node[a], node[b]))
    chances = answer.probabilities(pairs)
    score, average = (_mean_probability(pairs, chances, *sides) for sides in (([node[a]], [node[b]]), (ours, theirs)))
    both_in_stories = a in stories and b in stories
    joins = [(each.articles, each.others) for each in corrections if each.kind == "join"]
    if reports.get(a, a) == reports.get(b, b):
        kind = Decision.SAME_REPORT
    elif stories.get(a, a) == stories.get(b, b):
        are_joined = any(x in left and y in right for left, right in joins for x, y in ((a, b), (b, a)))
        kind = Decision.JOINED if are_joined else Decision.SAME_STORY
    elif cannot_link(resolve_corrections(corrections), node)(ours, theirs):
        kind = Decision.RULED
    elif one.is_non_voting or other.is_non_voting:
        kind = Decision.SILENT
    elif evidence.hours_apart is not None and evidence.hours_apart > IDLE_HOURS:
        kind = Decision.TOO_FAR
    elif score < answer.threshold:
        kind = Decision.BELOW
    else:
        kind = Decision.STORIES_BELOW if both_in_stories else Decision.OPEN
    return PairExplanation(
        kind=kind,
        evidence=evidence,
        score=score,
        average=average,
        threshold=answer.threshold,
        both_in_stories=both_in_stories,
    )


def _mean_probability(pairs: Pairs, chances: Numbers, ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Return the power mean of the pairs of two groups, which share no node; a pair that was not compared has 0."""
    across = np.isin(pairs.first, ours) & np.isin(pairs.second, theirs)
    across |= np.isin(pairs.first, theirs) & np.isin(pairs.second, ours)
    return round(power_mean(chances[across], len(ours) * len(theirs)), 3)


# What the likenesses of a pair are called, by the beginnings of their names.
SUBJECTS = {
    "meaning over": "how much nearer they are in meaning than to other articles",
    "meaning": "their meaning",
    "letters over": "how much more alike their words are than those of other articles",
    "letters": "the spelling of their words",
    "words": "their words",
    "names": "their names",
    "shared names": "how many names they share",
    "other names": "whether their names differ",
    "shared numbers": "how many numbers they share",
    "other numbers": "whether their numbers differ",
    "hours": "the time between them",
    "one outlet": "whether one outlet has both",
}
MIN_WEIGHT = 0.1  # of the log-odds: less is not told


def weigh_evidence(pairs: Pairs, answer: Answer, a: int, b: int) -> tuple[tuple[str, float], ...]:
    """
    Return what spoke for (above 0) and against (below 0) one event, in log-odds, the strongest first.

    Each is compared with what two reports of two events usually have. Empty if the two rows were not compared.
    """
    at = np.flatnonzero((pairs.first == min(a, b)) & (pairs.second == max(a, b)))
    if not len(at):
        return ()
    one = pairs.select(at)
    model = answer.with_vectors if one.have_vectors[0] else answer.without_vectors
    usual = replace(one, likenesses=dict(zip(model.likenesses, model.means[:, None], strict=True)))
    added = (model.contributions(one) - model.contributions(usual))[:, 0]
    totals: Counter[str] = Counter()
    for name, value in zip(model.likenesses, added.tolist(), strict=True):
        totals[next(words for start, words in SUBJECTS.items() if name.startswith(start))] += value
    kept = [(words, round(value, 2)) for words, value in totals.items() if abs(value) >= MIN_WEIGHT]
    return tuple(sorted(kept, key=lambda each: (-abs(each[1]), each[0])))


MAX_EVIDENCE = 12  # names, terms or numbers; the first are the heaviest
MAX_OTHERS = 2_000  # articles that tell which keys are common
NO_OTHERS = TellingKeys()


def collect_evidence(a: ClusterItem, b: ClusterItem, telling: TellingKeys = NO_OTHERS) -> Evidence:
    """Return the evidence for and against one event in two articles, without keys that say nothing of an event."""
    apart, same_language = time_apart(a, b), a.language == b.language
    of_a, of_b = telling.terms_of(a), telling.terms_of(b)
    names_a, names_b = telling.names_of(a, b), telling.names_of(b, a)
    numbers_a, numbers_b = telling.numbers_of(a), telling.numbers_of(b)
    terms = sorted(of_a.keys() & of_b.keys(), key=lambda term: (-min(of_a[term], of_b[term]), term))
    overlap = measure_overlap(make_fingerprint(a.features.shingles), make_fingerprint(b.features.shingles))
    return Evidence(
        names=_shared_keys(names_a, names_b),
        terms=tuple(terms[:MAX_EVIDENCE]) if same_language else (),
        numbers=_shared_keys(numbers_a, numbers_b),
        wording=round(overlap.share, 3),
        vector=cosine(a, b),
        hours_apart=None if apart is None else round(apart.total_seconds() / 3600, 2),
        same_language=same_language,
        only_a=_only_in((*names_a, *numbers_a), b),
        only_b=_only_in((*names_b, *numbers_b), a),
    )


def _shared_keys(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Return up to `MAX_EVIDENCE` common keys, the first mentioned first; the same if the sides are swapped."""
    place = {key: n for n, key in enumerate(ours)}
    shared = [(place[key] + n, key) for n, key in enumerate(theirs) if key in place]
    return tuple(key for _, key in sorted(shared)[:MAX_EVIDENCE])


def _only_in(ours: Sequence[str], theirs: ClusterItem) -> tuple[str, ...]:
    keys_of_theirs, terms = {*theirs.features.names, *theirs.features.numbers}, term_weights(theirs.features)
    # What is a name in one article can be a plain word of the other, as at the beginning of a sentence.
    return tuple(
        key for key in ours if key not in keys_of_theirs and terms.keys().isdisjoint(stems(key, theirs.language))
    )[:MAX_EVIDENCE]


def cosine(a: ClusterItem, b: ClusterItem) -> float | None:
    """Return the cosine of two vectors, centered by language; None without two vectors of one embedder."""
    if a.features.vector_model != b.features.vector_model:
        return None
    centered = center_by_language((a, b), from_window=False)
    if centered is None or not centered[2].all():
        return None
    _, (one, other), _ = centered
    return round(float(one @ other), 3)


MAX_NAMES = 5  # listed in an explanation
COMMON_SHARE = 0.5  # of one side's articles that must have a name for it to be listed
SHARED_SHARE = 0.25  # of each side's articles that must have a common name


def shared_by(ours: Sequence[ClusterItem], theirs: Sequence[ClusterItem]) -> str:
    a, b = _key_shares(ours), _key_shares(theirs)
    shares = {key: share for key in a.keys() & b.keys() if (share := min(a[key], b[key])) >= SHARED_SHARE}
    return f"both mention {_join_names(shares)}" if shares else "their articles have similar words"


def distinct_in(gone: Sequence[ClusterItem], rest: Sequence[ClusterItem]) -> str:
    """Return a phrase with the names and numbers that each of two sets of articles has and the other lacks."""
    a, b = _key_shares(gone), _key_shares(rest)
    ours, theirs = (
        {key: share for key, share in one.items() if share >= COMMON_SHARE and key not in other}
        for one, other in ((a, b), (b, a))
    )
    parts = [f"only they mention {_join_names(ours)}"] if ours else []
    parts += [f"the others mention {_join_names(theirs)}"] if theirs else []
    return ", ".join(parts) or "with the articles that came later, they are not similar enough to the others"


def _key_shares(items: Sequence[ClusterItem]) -> dict[str, float]:
    """Return the telling names and numbers of articles, with the share of the articles that have each."""
    counts = Counter(
        key
        for item in items
        for key in {*item.features.names, *filter(is_telling_number, item.features.numbers)} - weak_words(item.language)
    )
    return {key: count / len(items) for key, count in counts.items()}


def _join_names(shares: Mapping[str, float]) -> str:
    """Return the names with the highest shares as a phrase: "Sato, Hakodate and 5.8"."""
    keys = sorted(shares, key=lambda key: (-shares[key], key))[:MAX_NAMES]
    shown = [key.title() if key.isascii() else key for key in keys]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


MAX_LISTED = 8  # names or words in a line
READ_CHARS = 4_000  # of a text in which the spelling of a name or word is looked for
MIN_SHOWN_COSINE = 0.1
MIN_SHOWN_WORDING = 0.05


class SurfaceForms:
    """The spellings of names and stems, as the articles have them."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:  # (text, language) of each article
        """Read how names and words are spelt in the first of `texts` that has them."""
        stems_of = cache(stems)
        self.names: dict[str, str] = {}
        self.terms: dict[str, str] = {}
        for text, language in texts:
            for word in words(text[:READ_CHARS]):
                self.names.setdefault(to_latin(fold(word)), word)
                for stem in stems_of(word, language):
                    self.terms.setdefault(stem, word)

    def of(self, keys: Sequence[str]) -> str:
        """Return the first `MAX_LISTED` names, stems or numbers as they are spelled, separated by commas."""
        return ", ".join(dict.fromkeys(self.names.get(key) or self.terms.get(key) or key for key in keys[:MAX_LISTED]))


def describe_common_ground(evidence: Evidence, spelling: SurfaceForms) -> Iterator[str]:
    """Yield phrases with the evidence that two articles are on one event: first what decided their score."""
    for what, side in (("for one event", 1), ("against it", -1)):
        if named_values := [f"{name} ({value:+.1f})" for name, value in evidence.decided if side * value > 0]:
            yield f"what spoke {what}: {', '.join(named_values)}"
    names = {spelling.names.get(name) for name in evidence.names}
    terms = [term for term in evidence.terms if spelling.terms.get(term, term) not in names]
    if evidence.names:
        yield f"names in both: {spelling.of(evidence.names)}"
    if evidence.numbers:
        yield f"numbers in both: {', '.join(evidence.numbers[:MAX_LISTED])}"
    if terms:
        yield f"words in both: {spelling.of(terms)}"
    if evidence.wording >= MIN_SHOWN_WORDING:
        yield f"{evidence.wording:.0%} of the shorter text is in the longer one, word for word"
    if evidence.vector is not None and evidence.vector >= MIN_SHOWN_COSINE:
        yield f"similarity of meaning: {evidence.vector:.2f} of 1"
    if evidence.hours_apart is not None:
        yield f"published {format_duration(3600 * evidence.hours_apart)} apart"


def describe_differences(evidence: Evidence, spelling: SurfaceForms) -> Iterator[str]:
    for place, keys in (("first", evidence.only_a), ("second", evidence.only_b)):
        if keys:
            yield f"names or numbers only in the {place}: {spelling.of(keys)}"


def describe_decision(pair: PairExplanation) -> str:
    """Return an explanation as a sentence."""
    least, days = f"{pair.threshold:.2f}", f"{IDLE_HOURS / 24:.0f} days"
    yet = "No edition has covered both articles yet"
    two = "They are in two stories" if pair.both_in_stories else f"{yet}; on their own, they are two stories"
    return {
        Decision.SAME_REPORT: "They are one report: the same text, copied or rewritten.",
        Decision.JOINED: "They are in one story: a user correction joined their two stories.",
        Decision.SAME_STORY: "They are in one story.",
        Decision.RULED: f"{two}: a user correction keeps them apart.",
        Decision.SILENT: f"{two}: one is a live blog, a round-up, an opinion or a service piece. "
        "It is no report of one event, so it joins no stories.",
        Decision.TOO_FAR: f"{two}: a story ends after {days} without a report.",
        Decision.BELOW: f"{two}: the probability that they are on one event is {pair.score:.2f}; at least {least} is "
        "needed.",
        Decision.STORIES_BELOW: f"{two}: the probability that they are on one event is {pair.score:.2f}, but that of "
        f"all reports of their stories is {pair.average:.2f} together; at least {least} is needed.",
        Decision.OPEN: f"{yet}; the two are likely enough to be on one event.",
    }[pair.kind]


MAX_CHARS, MAX_SENTENCES = 40_000, 1_000  # of a text in which copies are compared
NGRAM_WORDS = 3  # that two sentences are compared by; characters in scripts without spaces
MIN_SHARED = 0.5  # of a sentence's n-grams, for it to count as the same sentence
WHOLE = 0.95  # share of the origin from which on nothing was cut; the rest are credits and page lines
ADDED = 0.05  # share of the copy from which on something was added
EDITED = 0.03  # of what is kept; less is a dateline, or another quotation mark


class TextWithTitle(Protocol):
    """The fields of an article that are read to compare copies."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def language(self) -> str: ...


class SentenceNgrams(NamedTuple):
    """The n-grams of a sentence, and how many words it has."""

    ngrams: frozenset[tuple[str, ...]]
    words: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyDifference:
    """How a copy differs from its report's origin, as shares from 0 to 1 (`describe_copy` puts them into words)."""

    article_id: str
    kept: float  # of the origin's text: sentences that the copy has
    edited: float  # of the kept text: wording that the origin does not have
    added: float  # of the copy's text: sentences that the origin does not have
    same_title: bool


def diff_copies(report: WireGroup, articles: Mapping[str, TextWithTitle]) -> tuple[CopyDifference, ...]:
    """Return how each copy of `report` differs from its origin, in order; only articles in `articles`."""
    copies = [key for key in report.articles[1:] if key in articles]
    if report.origin not in articles or not copies:
        return ()
    origin = articles[report.origin]
    in_origin = _split_sentences(origin)
    return tuple(_diff_copy(key, articles[key], origin, in_origin) for key in copies)


def _diff_copy(
    key: str, copy: TextWithTitle, origin: TextWithTitle, in_origin: Sequence[SentenceNgrams]
) -> CopyDifference:
    """Return how the text of a copy differs from that of its origin, whose sentences are `in_origin`."""
    in_copy = _split_sentences(copy)
    copy_ngrams, origin_ngrams = (frozenset().union(*(each.ngrams for each in side)) for side in (in_copy, in_origin))
    copied = [each for each in in_copy if len(each.ngrams & origin_ngrams) >= MIN_SHARED * len(each.ngrams)]
    retained = [each for each in in_origin if len(each.ngrams & copy_ngrams) >= MIN_SHARED * len(each.ngrams)]
    kept = max(_count_words(copied), _count_words(retained))  # a teaser may end within a sentence
    edited = sum(len(each.ngrams - origin_ngrams) for each in copied)
    return CopyDifference(
        article_id=key,
        kept=min(1.0, share(kept, _count_words(in_origin))) if in_origin else 1.0,
        edited=share(edited, sum(len(each.ngrams) for each in copied)),
        added=share(_count_words(in_copy) - _count_words(copied), _count_words(in_copy)),
        same_title=title_key(copy.title) == title_key(origin.title),
    )


def _split_sentences(article: TextWithTitle) -> list[SentenceNgrams]:
    """Return the sentences of an article that have words, as n-grams."""
    text = article.text[:MAX_CHARS]
    split = []
    for start, end in islice(sentences(text, article.language), MAX_SENTENCES):
        if each := tokens(text[start:end]):
            starts = range(max(1, len(each) - NGRAM_WORDS + 1))
            ngrams = frozenset(tuple(each[at : at + NGRAM_WORDS]) for at in starts)
            split.append(SentenceNgrams(ngrams, len(each)))
    return split


def _count_words(sentences: Sequence[SentenceNgrams]) -> int:
    return sum(sentence.words for sentence in sentences)


def share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0


def describe_copy(copy: CopyDifference) -> str:
    """Return how a copy differs, for a reader: "full text", "cut to 60 %, edited, different headline"."""
    parts = []
    if copy.added and not copy.kept:
        parts.append("rewritten")  # no sentence is the same
    elif copy.kept < WHOLE:
        parts.append(f"cut to {_round_percent(copy.kept)} %" if copy.kept else "headline only")
    if copy.edited >= EDITED:
        parts.append("edited")
    if ADDED <= copy.added < 1:
        parts.append(f"{_round_percent(copy.added)} % added")
    return ", ".join((parts or ["full text"]) + ([] if copy.same_title else ["different headline"]))


def _round_percent(part: float) -> int:
    """Return a share in per cent, rounded to the nearest five, but at least 5."""
    return max(5, round(part * 20) * 5)
