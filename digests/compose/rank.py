"""Ranks an edition's stories by a sum of a few terms, each with words for a reader."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_low

from digests.analysis.news_value import MOST, term_weights, usual_mark
from digests.analysis.preferences import matching_phrases, score_weights
from digests.analysis.select import is_flagged
from digests.analysis.significance import find_leaders, measure_matters
from digests.analysis.story_coverage import Coverage
from digests.cluster.neighbours import Neighbours
from digests.compose.context import ComposeContext
from digests.model.edition_story import Brief, EditionStory, ScoreTerm
from digests.model.story import Story
from digests.settings.digests import DigestSettings
from digests.settings.topics import LIGHT_TOPICS
from digests.summarise.figures import KILLED, MAGNITUDE, stated_figures
from watcher.model import Article
from watcher.text.format import format_count

FRESH_HALF_LIFE_S = 12 * 3600.0  # a story whose latest own report is this old has half the freshness
READER_TERM = "reader"  # of the reader's own weights
DEATHS_TERM = "deaths"
MOST_DEATHS = 1_000  # a larger toll is that of a whole war
MOST_SIBLINGS = 2  # that lower a story: what is far below in a war of a thousand stories is still news of it
MOST_GROWTH = 2.0  # of a story by its thread: four times its own outlets
MIN_MAGNITUDE = 5.0  # of a quake that the world speaks of
MATTER_WORDS = {
    "conflict": "war or peace",
    "state": "heads of state and of government",
    "election": "elections",
    "ruling": "courts and rulings",
}
NO_NEIGHBOURS = Neighbours()
# Expected outlets beyond those that are counted: from here on, an even chance or more that there is one.
EVEN_CHANCE = math.log(2)
PROBABLE = 0.2  # mean probability of the pairs of two stories, from which on one of them stands for both
MAX_TOLL_REPORTS = 12  # of a story, the latest, that are searched for its toll
# Their weights are fitted to the marks that editors gave the stories of real days (`bench/fit_ranking.py`). Values: the
# logarithm (base 2) of the independent reports, of the outlets' countries, of 1 + the outlets of other countries than
# those that the story is about, of the outlets of all stories of a thread for each one of its best story, and of 1 +
# the people killed, up to `MOST_DEATHS`; 1 for a report at the end of the window, half after `FRESH_HALF_LIFE_S`.
FITTED_TERMS = ("independent", "countries", "abroad", "thread", "deaths", "freshness")
POINTS = 5.0  # of the score, for each mark of an editor
WEIGHTS = {
    **{name: round(POINTS * marks, 2) for name, marks in term_weights().items()},
    "value": POINTS,  # the mark that an editor would give for what it speaks of
    # Log2 of the outlets. A fit gives copies and bare headlines nothing, and is as good up to this: it parts equals.
    "carried": 0.25,
    # What the marks do not tell: who gave them reads all languages, and saw single days, none of them with a quake. The
    # matters are there to be read: a fit gives war more on the days of a war, and no others. With "likely" at 0, .80 of
    # the largest events of three days are told, with 1 .87, with 2 as many; the marks of what is told stay the same.
    "movement": 0.5,  # 1 if new or twice the independent reports of the last edition, 0 if as many, -1 if half
    "conflict": 0.25,  # share of the titles that speak of war or peace,
    "state": 0.25,  # of heads of state and of government,
    "election": 0.25,
    "ruling": 0.25,
    MAGNITUDE: 0.75,  # of a quake, above `MIN_MAGNITUDE`
    "readable": 0.75,  # 1 if there is a report in the digest's language
    "likely": 1.0,  # log2 of the outlets that are expected to report the event for each one that does
    "sibling": -1.5,  # for each story above it of the same thread, up to `MOST_SIBLINGS`
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedStory:
    """A story with its score."""

    story: Story
    score: float
    score_terms: tuple[ScoreTerm, ...]
    coverage: Coverage
    expected_outlets: float  # that report its event: its own, and those of `Neighbours`
    sibling_of: str | None = None  # the id of the best story of its thread, if that is another one
    repeats: str | None = None  # the id of a higher story that may be on the same event
    is_apart: bool = False  # it has no thread in common with the higher ones, and is on their event only perhaps
    must_phrases: tuple[str, ...] = ()  # phrases of the digest's `must` that it contains
    watched: tuple[str, ...] = ()  # phrases of the digest's `watch` that it contains
    followed: bool = False  # the reader follows its thread

    @property
    def is_least(self) -> bool:
        """Whether more outlets probably report its event than those whose reports were recognised."""
        return self.story.is_parted or self.expected_outlets - len(self.coverage.outlets) >= EVEN_CHANCE

    @property
    def family(self) -> str:
        """
        The id that stories share of which one stands for all, in full or in one line: a running story's, mostly.

        It is the thread that the reader follows, else the best sibling of a story, else the story itself.
        """
        return self.story.thread if self.followed else self.sibling_of or self.story.id


def rank(stories: Sequence[Story], context: ComposeContext) -> tuple[RankedStory, ...]:
    """
    Return the stories, best first; equal scores are ordered by id.

    The best story of a thread counts the outlets of the others too. Each of these is its sibling, and loses points for
    each story of that thread above it: one running story must not fill an edition. So does a story that may be on the
    event of a higher one (`find_neighbours`). Stories without an article in the window are left out.
    """
    previous = context.previous
    told: list[Brief | EditionStory] = [*previous.briefs, *previous.stories] if previous else []
    before = {key: entry.independent for entry in told for key in entry.article_ids}
    leaders = find_leaders(context.articles.values())
    scored = []
    for story in stories:
        if present := context.present(story):
            covered = context.measure_coverage(story)
            moved = _report_growth(story, len(covered.independent), before) if previous else None
            happened = _event_terms(story, present, leaders, context)
            near = context.neighbours.get(story.id, NO_NEIGHBOURS).outlets
            terms = (
                *_terms(present, covered, moved, context),
                *_value_terms(story, context),
                *_likely_terms(near, covered),
                *happened,
                *_reader_terms(story, present, context),
            )
            scored.append(
                RankedStory(
                    story=story,
                    score=_total(terms),
                    score_terms=terms,
                    coverage=covered,
                    expected_outlets=len(covered.outlets) + near,
                    must_phrases=matching_phrases(context.digest.must, present),
                    watched=matching_phrases(context.digest.watch, present),
                    followed=story.thread in context.followed,
                )
            )
    scored.sort(key=_place)
    return tuple(sorted(_with_siblings(scored, context), key=_place))


def _place(ranked: RankedStory) -> tuple[float, str]:
    return -ranked.score, ranked.story.id


def _total(terms: Sequence[ScoreTerm]) -> float:
    return round(sum(term.value * term.weight for term in terms), 6)


def _terms(
    present: Sequence[Article], covered: Coverage, moved: tuple[float, str] | None, context: ComposeContext
) -> tuple[ScoreTerm, ...]:
    """Return the terms of a story's score; `moved` is the value and the words on its growth since the last edition."""
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


def _likely_terms(near: float, covered: Coverage) -> tuple[ScoreTerm, ...]:
    """Return the term of the outlets whose reports are probably on the event of a story; empty without such reports."""
    if not near:
        return ()
    value = math.log2(1 + near / len(covered.outlets))
    words = f"{near:.1f} more outlets probably report it"
    return (_term("likely", value, WEIGHTS["likely"], words),)


def _value_terms(story: Story, context: ComposeContext) -> tuple[ScoreTerm, ...]:
    """
    Return the term of what an editor would give a story for what it speaks of; empty if that is not known.

    A light topic that the reader names is worth as much as usual news at least.
    """
    if (value := context.find_news_value(story)) is None:
        return ()
    topic = context.find_topic(story)
    if topic in LIGHT_TOPICS and not is_light(topic, context.digest):
        value = max(value, usual_mark())
    words = f"editors would give what it speaks of {value:.1f} of {MOST:g}, as estimated"
    return (_term("value", value, WEIGHTS["value"], words),)


def is_light(topic: str, digest: DigestSettings) -> bool:
    """Whether a topic comes behind the news of the world: not if the reader names it in `topics`, `most` or weights."""
    weights: Mapping[str, float] = {str(name): weight for name, weight in digest.weights.topics.items()}
    return topic in LIGHT_TOPICS and not (topic in digest.topics or topic in digest.most or weights.get(topic, 0.0) > 0)


def _event_terms(
    story: Story, present: Sequence[Article], leaders: frozenset[str], context: ComposeContext
) -> tuple[ScoreTerm, ...]:
    """
    Return the terms of what happened: to how many outlets it is foreign news, what its titles speak of, how many people
    died, how strong a quake was; empty if none applies.
    """
    terms: list[ScoreTerm] = []
    if context.find_topic(story) in LIGHT_TOPICS:  # a film tells of the dead of another day, and of kings
        return ()
    places = context.find_countries(story)
    abroad = {a.outlet for a in present if places and a.country and a.country not in places and not is_flagged(a)}
    if abroad:
        words = f"foreign news to {format_count(len(abroad), 'outlet')}"
        terms.append(_term("abroad", math.log2(1 + len(abroad)), WEIGHTS["abroad"], words))
    for matter, share in measure_matters(present, leaders).items():
        terms.append(_term(matter, share, WEIGHTS[matter], f"{MATTER_WORDS[matter]} in {share:.0%} of the titles"))
    if (killed := _agreed_figure(present, KILLED)) and killed[0] > 0:
        value, outlets = killed
        words = f"{value:,.0f} killed, the middle of what {format_count(outlets, 'outlet')} said last"
        terms.append(_term(DEATHS_TERM, math.log2(1 + min(value, MOST_DEATHS)), WEIGHTS[DEATHS_TERM], words))
    if (quake := _agreed_figure(present, MAGNITUDE)) and quake[0] > MIN_MAGNITUDE:
        value, outlets = quake
        words = f"magnitude {value:g}, the middle of what {format_count(outlets, 'outlet')} said last"
        terms.append(_term(MAGNITUDE, value - MIN_MAGNITUDE, WEIGHTS[MAGNITUDE], words))
    return tuple(terms)


def _agreed_figure(present: Sequence[Article], quantity: str) -> tuple[float, int] | None:
    """Return the middle of what the outlets said last of a quantity, so that none decides alone, and their number."""
    latest = sorted(present, key=lambda a: (a.published_at, a.id))[-MAX_TOLL_REPORTS:]
    said = {a.outlet: figure.value for a in latest for figure in stated_figures(a) if figure.quantity == quantity}
    return (median_low(said.values()), len(said)) if said else None


def count_terms(covered: Coverage) -> tuple[ScoreTerm, ...]:
    """Return the terms of a story's score that are counts of its coverage."""
    independent, outlets, countries = len(covered.independent), len(covered.outlets), len(covered.countries)
    rows = (
        ("independent", independent, format_count(independent, "independent report")),
        ("carried", outlets, f"carried by {format_count(outlets, 'outlet')}"),
        ("countries", countries, f"outlets from {format_count(countries, 'country', 'countries')}"),
    )
    return tuple(_term(name, math.log2(max(count, 1)), WEIGHTS[name], words) for name, count, words in rows)


def _reader_terms(story: Story, present: Sequence[Article], context: ComposeContext) -> tuple[ScoreTerm, ...]:
    """Return the term of the reader's own weights; empty if none applies to the story."""
    weights = context.digest.weights
    places = context.find_countries(story) if weights.countries else ()
    found = score_weights(weights, present, places, context.find_topic(story) if weights.topics else "")
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
    """
    Return the stories, best first, with a sibling term added to each that has a higher one in its thread, or near it.

    The best story of a thread stands for all of it: a running story that is told in many small stories weighs as much
    as one that is told in a large one, nearly.
    """
    found: list[RankedStory] = []
    ids_of_thread: defaultdict[str, list[str]] = defaultdict(list)
    outlets: defaultdict[str, set[str]] = defaultdict(set)
    for ranked in scored:
        outlets[ranked.story.thread or ranked.story.id].update(ranked.coverage.outlets)
    for ranked in scored:
        thread = ranked.story.thread or ranked.story.id
        own = ids_of_thread[thread]
        near = context.neighbours.get(ranked.story.id, NO_NEIGHBOURS).stories
        alike = [each.story.id for each in found if each.story.id in near]
        above = [*own, *(each for each in alike if each not in own)]
        if above:
            words = "a higher story is of the same running story, or perhaps on the same event"
            terms = (
                *ranked.score_terms,
                _term("sibling", float(min(len(above), MOST_SIBLINGS)), WEIGHTS["sibling"], words),
            )
            found.append(
                replace(
                    ranked,
                    score=_total(terms),
                    score_terms=terms,
                    sibling_of=above[0],
                    repeats=next(iter(alike), None),
                    is_apart=not own and all(near[key] < PROBABLE for key in alike),
                )
            )
        elif (whole := len(outlets[thread])) > len(ranked.coverage.outlets):
            words = f"{format_count(whole, 'outlet')} with its running story"
            value = min(MOST_GROWTH, math.log2(whole / len(ranked.coverage.outlets)))
            terms = (*ranked.score_terms, _term("thread", value, WEIGHTS["thread"], words))
            found.append(replace(ranked, score=_total(terms), score_terms=terms))
        else:
            found.append(ranked)
        own.append(ranked.story.id)
    return found
