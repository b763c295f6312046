"""The figures of a story: read from its reports with what they count, and how they changed over the period."""

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain, islice, pairwise, product

from digests.analysis.country_names import languages_in
from digests.analysis.gazetteer import load_gazetteer
from digests.analysis.numbers import NUMBER_IN_TEXT, YEAR_VALUE, normalize
from digests.analysis.select import is_flagged
from digests.model.edition_story import FigureChange, FigureReport, Sentence
from digests.model.story import Story
from digests.summarise.lead import make_sentence
from digests.summarise.openings import mention_report
from watcher.model import Article
from watcher.text.number_words import number_words
from watcher.text.sentences import sentences
from watcher.text.toml_data import load_toml
from watcher.text.words import POSSESSIVE, SAME_WORDS, WORD, fold, fold_text, stems, stop_words

LEAD_SENTENCES = 3  # of a report, that are searched,
STATED_SENTENCES = 1  # and of these, those that may tell the state, beside the title
FIGURE_TEXT_CHARS = 2000  # of a text
MAX_PHRASE_CHARS = 80  # from a number's lower bound to what it counts; a longer phrase would be cut
MIN_SPELLED = 2  # of a number written as a word: "one" seldom counts
MAX_SEQUENCE, WORDS_AFTER = 4, 6  # words of one entry of a list, and behind a number that are read
KILLED, INJURED, MAGNITUDE, TURNOUT = "killed", "injured", "magnitude", "turnout"
# Counts that only rise while an event is reported; a lower figure is an old one or another opinion.
CUMULATIVE = frozenset({KILLED, INJURED, "arrested", "evacuated", "rescued", TURNOUT})
MIN_APART = {MAGNITUDE: 0.2, TURNOUT: 1.0}  # figures that are closer are one, measured twice or rounded
MAX_FACTOR = 30.0  # a figure that has grown or shrunk more counts something else
MIN_ROUNDED = 100  # from which on a figure may be rounded
MIN_REVISED_OUTLETS = 2  # with a figure that is lower than before: one alone may only be late
MIN_REVISED_SHARE = 0.5  # of the figure before: a lower one is rather that of one day, or of one place
MIN_SHARED_STEMS = 2  # of two reports in one language on one thing, beside the words for the quantity
MAX_FIGURE_REPORTS = 12  # freshest ones with the earlier figure, and with the newest
MAX_FIGURE_CHANGES = 3  # of a story
MAX_REMEMBERED = (
    2048  # articles whose figures are kept: rank, headline, sentences and differences of an edition ask for them
)
QUANTITIES: dict[str, dict[str, dict[str, str]]] = load_toml("digests.summarise", "quantities.toml")
NEAR_WORDS: dict[str, dict[str, str]] = load_toml("digests.summarise", "figure_words.toml")
# Behind a number that is not a part of something: "66-year-old", "14:30", but "5.6-magnitude".
BARE = re.compile(r"(?!\s?[-–—:/%°](?!magnitude)|\s?\d)")
BARE_PERCENT = re.compile(r"(?!\s?[-–—:/°](?!magnitude)|\s?\d)")
BARE_LETTERS = re.compile(r"[^\W\d_]+")
WORD_PLACES = ("after", "before", "percent", "toll")  # of a quantity's words, seen from its number
CLAUSE_END = re.compile(r"[.,;:()–—!?\"“”«»\n\d،؛。、，；：]| - ")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and what it counts, as one report has it. `is_least`: it may be more."""

    quantity: str
    value: float
    is_least: bool
    start: int  # of the number, and of the words that say what it counts, in the sentence
    end: int
    phrase_start: int
    phrase_end: int
    places: frozenset[tuple[str, bool]]  # that the clause names: code of the country, and whether it is a city
    names: frozenset[str]  # capitalised words of the clause
    sentence: Sentence  # the title too is given as one
    is_title: bool

    @property
    def phrase(self) -> str:
        return self.sentence.text[self.phrase_start : self.phrase_end]

    @property
    def number(self) -> str:
        return self.sentence.text[self.start : self.end]


Statement = tuple[Article, Figure]


def find_figure_changes(
    story: Story,
    articles: Mapping[str, Article],
    earlier: Mapping[str, Article],
    can_read: Callable[[str], bool],
) -> tuple[FigureChange, ...]:
    """
    Return how the figures of a story changed: for each quantity, an earlier figure and the newest.

    The newest figure of a count that rises is the highest, of others the one that the reports had last for the first
    time. A change is returned only if it can be told from the reports' times (`_split`), and both figures are of the
    same thing (`_is_same_thing`). Of equal reports the freshest is cited, in a language of the reader if there is one.

    Args:
        articles: Of the period, by id.
        earlier: The story's articles from before the period; they can have only the earlier figure.
    """
    known = _statements(story, (*earlier.values(), *articles.values()))
    changes = []
    for quantity in QUANTITIES:
        same = [(article, figure) for article, figure in known if figure.quantity == quantity]
        if pair := _find_change(same, articles, can_read):
            (old_article, old), (new_article, new) = pair
            outlets = count_stating(articles.values(), quantity, new.value)
            before, after = _make_report(old_article, old), _make_report(new_article, new)
            changes.append(FigureChange(quantity=quantity, before=before, after=after, outlets=outlets))
    return tuple(changes[:MAX_FIGURE_CHANGES])


def _statements(story: Story, articles: Iterable[Article]) -> list[Statement]:
    """Return what articles state, in time order; a figure that copies of a report repeat, of the first copy only."""
    report_of = {key: number for number, report in enumerate(story.wire_groups) for key in report.articles}
    statements: dict[tuple[int | str, str, float], Statement] = {}
    for article in sorted(articles, key=lambda each: (each.published_at, each.id)):
        for figure in stated_figures(article):
            key = (report_of.get(article.id, article.id), figure.quantity, figure.value)
            statements.setdefault(key, (article, figure))
    return list(statements.values())


def superseded_by_figures(
    changes: Sequence[FigureChange], story: Story | None = None, articles: Mapping[str, Article] | None = None
) -> Callable[[Sentence], bool]:
    """
    Return a function that says whether a sentence, or a title as one, has a figure that a newer one replaces.

    Beside the figures of `changes`, these are all but the highest that the reports of `story` state for a count that
    only rises, if they are of the same thing. One late report is enough for that. A higher one that more outlets
    contradict after it is no such highest, but an early count that was too high.

    Args:
        articles: Of the period, by id; without them only `changes` count.
    """
    spans = {change.quantity: (change.before.value, change.after.value) for change in changes}
    known = _statements(story, articles.values()) if story and articles else []
    fallen = {quantity for quantity, (before, after) in spans.items() if before > after}
    latest = {
        quantity: highest
        for quantity in CUMULATIVE - fallen
        if (highest := _find_highest([pair for pair in known if pair[1].quantity == quantity]))
    }

    def is_superseded(sentence: Sentence) -> bool:
        """Whether a sentence has a figure that a later report has overtaken."""
        if not (spans or latest):
            return False
        for figure in read_figures(sentence):
            before, after = spans.get(figure.quantity, (0.0, 0.0))
            if before <= figure.value < after or before >= figure.value > after:
                return True
            article = articles.get(sentence.article_id) if articles else None
            if article and figure.quantity in latest and _is_replaced((article, figure), latest[figure.quantity]):
                return True
        return False

    return is_superseded


def exceeding_figures(title: Sentence) -> Callable[[Sentence], bool]:
    """Return a function that says whether a sentence counts more than a headline does, of what only rises."""
    stated = {figure.quantity: figure.value for figure in read_figures(title, is_title=True)}
    return lambda sentence: any(
        figure.quantity in CUMULATIVE and figure.value > stated.get(figure.quantity, math.inf)
        for figure in (read_figures(sentence) if stated else ())
    )


def has_lower_count(sentence: Sentence, told: Iterable[Sentence]) -> bool:
    """Whether a sentence counts less than one of `told` does, of what only rises: an old figure, or a part of it."""
    counted: dict[str, float] = {}
    for figure in chain.from_iterable(map(read_figures, told)):
        counted[figure.quantity] = max(figure.value, counted.get(figure.quantity, 0.0))
    return any(
        figure.quantity in CUMULATIVE and figure.value < counted.get(figure.quantity, 0.0)
        for figure in read_figures(sentence)
    )


def _find_highest(known: Sequence[Statement]) -> list[Statement]:
    """Return the statements of the highest figure that as many outlets have as state only less after the first."""
    for value in sorted({figure.value for _, figure in known}, reverse=True):
        highest = [pair for pair in known if pair[1].value == value]
        having = {article.outlet for article, figure in known if figure.value >= value}
        late = {article.outlet for article, figure in known if article.published_at > highest[0][0].published_at}
        if len(late - having) <= len(having):
            return highest
    return []


def _is_replaced(one: Statement, highest: Sequence[Statement]) -> bool:
    """Whether a figure is another one than the highest that holds (`_find_highest`), of the same thing as one of it."""
    value, most = one[1].value, highest[0][1].value
    if value == most or _is_far(value, most) or _is_one(one[1].quantity, value, most):
        return False
    return any(_is_same_thing(one, each) for each in highest[:MAX_FIGURE_REPORTS])


def count_stating(articles: Iterable[Article], quantity: str, value: float) -> int:
    """Return the number of outlets that state a figure."""
    return len(
        {
            article.outlet
            for article in articles
            for figure in stated_figures(article)
            if (figure.quantity, figure.value) == (quantity, value)
        }
    )


def _find_change(
    known: Sequence[Statement], articles: Mapping[str, Article], can_read: Callable[[str], bool]
) -> tuple[Statement, Statement] | None:
    """Return a statement of an earlier and one of the newest figure of one quantity, all in time order."""
    first: dict[float, datetime] = {}  # when the reports had a figure for the first time
    for article, figure in known:
        first.setdefault(figure.value, article.published_at)
    if len(first) < 2:
        return None
    quantity, highest, latest = known[0][1].quantity, max(first), next(reversed(first))
    if quantity in CUMULATIVE and (rising := _split(known, highest, articles)):
        newest, before, current = highest, *rising
    elif falling := _split(known, latest, articles, is_revised=True):
        newest, before, current = latest, *falling
    else:
        return None
    others = [value for value in first if value != newest]
    if any(_is_one(quantity, newest, each) or _is_far(newest, each) for each in others):
        return None
    if quantity in CUMULATIVE and newest < MIN_REVISED_SHARE * highest:
        return None
    outside = [pair for pair in before if pair[0].id not in articles]
    value = (outside[-1] if outside else before[0])[1].value
    olds = [pair for pair in before if pair[1].value == value]
    for each in (olds, current):
        each.sort(key=lambda pair: (can_read(pair[0].language), pair[0].published_at, pair[0].id), reverse=True)
    pairs = product(current[:MAX_FIGURE_REPORTS], olds[:MAX_FIGURE_REPORTS])
    # A lower bound is no figure that has fallen: "at least 14" may have been said of 20 too.
    fits = ((old, new) for new, old in pairs if newest > value or not new[1].is_least)
    return next((pair for pair in fits if _is_same_thing(*pair)), None)


def _split(
    known: Sequence[Statement], newest: float, articles: Mapping[str, Article], *, is_revised: bool = False
) -> tuple[list[Statement], list[Statement]] | None:
    """
    Return the statements of older figures before the newest became known, and those of the newest in the period.

    A report keeps its time when its outlet writes a newer figure into it, so the newest figure became known when half
    of its outlets had it. None if more outlets speak against it than for it, then or before. If it is not the highest
    (`is_revised`), nothing may speak against it.
    """
    current = [pair for pair in known if pair[1].value == newest and pair[0].id in articles]
    times: dict[str, datetime] = {}
    for article, _ in current:
        times.setdefault(article.outlet, article.published_at)
    if not times:
        return None
    began = sorted(times.values())[0 if is_revised else (len(times) - 1) // 2]
    older = [pair for pair in known if pair[1].value != newest]
    before = [pair for pair in older if pair[0].published_at < began]
    late = {article.outlet for article, _ in older if article.published_at >= began}
    early = {outlet for outlet, at in times.items() if at < began}
    if not before or len(late) >= len(times) or len({article.outlet for article, _ in before}) <= len(early):
        return None
    if is_revised and (late or len(times) < MIN_REVISED_OUTLETS):
        return None
    # The first sentence of one report alone may count more than the other reports do.
    known_outlets = {article.outlet for article, _ in before}
    if len(times) == 1 and not known_outlets & times.keys() and not any(figure.is_title for _, figure in current):
        return None
    current = [pair for pair in current if pair[0].published_at >= began]
    return before, current


def _is_far(one: float, other: float) -> bool:
    low, high = sorted((one, other))
    return high > MAX_FACTOR * max(low, 1)


def _is_one(quantity: str, one: float, other: float) -> bool:
    """Whether two figures may be the same, measured twice or rounded."""
    if abs(one - other) < MIN_APART.get(quantity, 0):
        return True
    return max(one, other) >= MIN_ROUNDED and (_is_rounded(one, other) or _is_rounded(other, one))


def _is_rounded(one: float, other: float) -> bool:
    digits = len(f"{one:.0f}") - len(f"{one:.0f}".rstrip("0"))
    return digits > 0 and round(other, -digits) == one


def _is_same_thing(one: Statement, other: Statement) -> bool:
    """Whether two figures of a story count the same thing: nothing in their places, names and words says otherwise."""
    (first, first_figure), (second, second_figure) = one, other
    if not have_same_places(first_figure, second_figure):
        return False
    heads = [
        f"{article.title}\n{next(lead_sentences(article), first_figure.sentence).text}" for article in (first, second)
    ]
    languages = (first.language, second.language)
    sure, possible = (
        [_codes(head, language, is_sure=is_sure) for head, language in zip(heads, languages, strict=True)]
        for is_sure in (True, False)
    )
    if first.language != second.language:
        return not (sure[0].isdisjoint(possible[1]) and sure[1].isdisjoint(possible[0]))
    if sure[0] and sure[1] and sure[0].isdisjoint(sure[1]):
        return False
    about = [set(stems(head, article.language)) for head, article in zip(heads, (first, second), strict=True)]
    for figure, theirs in ((first_figure, about[1]), (second_figure, about[0])):
        if figure.names and theirs.isdisjoint(stem for name in figure.names for stem in stems(name, first.language)):
            return False
    counted = {stem for figure in (first_figure, second_figure) for stem in _counting_stems(figure, first.language)}
    return len((about[0] & about[1]) - counted) >= MIN_SHARED_STEMS


def _counting_stems(figure: Figure, language: str) -> list[str]:
    """Return the stems of a figure's phrase that say what is counted: "death toll in the strike rises to 165"."""
    if _is_unspaced(language):
        return stems(figure.phrase, language)
    known = _counting_words(SAME_WORDS.get(language, language))
    return stems(" ".join(word for word in WORD.findall(figure.phrase) if fold(word) in known), language)


def _codes(text: str, language: str, *, is_sure: bool) -> set[str]:
    """Return the countries that a text names, with those that it may name unless `is_sure`."""
    return {match.code for match in load_gazetteer(language).find(text) if not (is_sure and match.is_ambiguous)}


def have_same_places(one: Figure, other: Figure) -> bool:
    """Whether the clauses of two figures do not name different places."""
    if one.places and other.places and one.places.isdisjoint(other.places):
        return False
    same_language = one.sentence.language == other.sentence.language
    return not (same_language and one.names and other.names and one.names.isdisjoint(other.names))


def _make_report(article: Article, figure: Figure) -> FigureReport:
    """Return an article as the report that gives a figure."""
    return FigureReport(
        text=figure.phrase,
        value=figure.value,
        is_least=figure.is_least,
        mention=mention_report(article, agency=None, shows_title=False),
        sentence=None if figure.is_title else figure.sentence,
    )


@lru_cache(maxsize=MAX_REMEMBERED)
def stated_figures(article: Article) -> tuple[Figure, ...]:
    """Return the figures that an article states in its title, else in its first sentence; one for each quantity."""
    if is_flagged(article):
        return ()
    stated, behind = _read_report(article)
    rest = tuple(behind) if stated else ()  # most reports state no figure, and need not be read further
    return tuple(next(iter(figures)) for quantity, figures in stated.items() if _is_clear(figures, rest, quantity))


def figures_in_text(article: Article) -> dict[str, Figure]:
    """Return a report's figures in its first sentences, by quantity; one that it states twice differently is none."""
    stated, behind = _read_report(article)
    rest = tuple(behind)
    found: dict[str, Figure] = {}
    for figure in (*(each for figures in stated.values() for each in figures), *rest):
        if not figure.is_title and _is_clear(stated.get(figure.quantity, ()), rest, figure.quantity):
            found.setdefault(figure.quantity, figure)
    return found


def _read_report(article: Article) -> tuple[dict[str, list[Figure]], Iterator[Figure]]:
    """Return the figures of title and first sentence by quantity, and those of the sentences behind them."""
    lead = lead_sentences(article)
    of_title = read_figures(make_sentence(article, 0, article.title), is_title=True)
    stated: dict[str, list[Figure]] = {}
    for figure in chain(of_title, chain.from_iterable(map(read_figures, islice(lead, STATED_SENTENCES)))):
        stated.setdefault(figure.quantity, []).append(figure)
    return stated, chain.from_iterable(map(read_figures, lead))


def _is_clear(figures: Iterable[Figure], rest: Iterable[Figure], quantity: str) -> bool:
    return len({each.value for each in (*figures, *rest) if each.quantity == quantity}) == 1


def lead_sentences(article: Article) -> Iterator[Sentence]:
    text = article.text[:FIGURE_TEXT_CHARS]
    for start, end in islice(sentences(text, article.language), LEAD_SENTENCES):
        yield make_sentence(article, start, text[start:end])


def has_quantities(language: str) -> bool:
    """Whether figures are read in a language."""
    language = SAME_WORDS.get(language, language)
    return any(language in places[place] for places in QUANTITIES.values() for place in places)


def read_figures(sentence: Sentence, *, is_title: bool = False) -> tuple[Figure, ...]:
    """Return the figures of a sentence whose quantity is known, in order; those that may be something else are not."""
    # A sentence is never that long; a title may be anything.
    if len(sentence.text) > FIGURE_TEXT_CHARS or is_of_earlier_year(sentence):
        return ()
    language = SAME_WORDS.get(sentence.language, sentence.language)
    find = _figures_by_pattern if _is_unspaced(language) else _figures_by_words
    figures = []
    for quantity, value, least, number, (phrase_start, phrase_end), clause in find(sentence.text, language):
        behind = _least_end(sentence.text, phrase_end, language)  # "مقتل 15 شخصا على الأقل"
        figure = Figure(
            quantity=quantity,
            value=value,
            is_least=least >= 0 or behind > phrase_end,
            start=number[0],
            end=number[1],
            phrase_start=min(least, phrase_start) if least >= 0 else phrase_start,
            phrase_end=behind,
            places=_places(clause, sentence.language),
            names=_names(sentence.text, clause, sentence.language),
            sentence=sentence,
            is_title=is_title,
        )
        if len(figure.phrase) <= MAX_PHRASE_CHARS:
            figures.append(figure)
    return tuple(figures)


def is_of_earlier_year(sentence: Sentence) -> bool:
    """Whether a sentence names a year before that of its report: "In 2015, 130 people were killed"."""
    years = (int(match.group()) for match in NUMBER_IN_TEXT.finditer(sentence.text) if YEAR_VALUE.match(match.group()))
    return any(year < sentence.published_at.year for year in years)


def is_exact(text: str, number: tuple[int, int], language: str) -> bool:
    """Whether no word near a number and its unit, `number` in `text`, says that it is rounded, a part, or not now."""
    language = SAME_WORDS.get(language, language)
    start, end = number
    least = find_lower_bound(text, start, language)
    start = least if least >= 0 else start
    before = _words_in(text, start - len(CLAUSE_END.split(text[:start][::-1], maxsplit=1)[0]), start)
    after = _words_in(text, end, end + len(CLAUSE_END.split(text[end:], maxsplit=1)[0]))
    inexact, elsewhere = near_words("inexact", language), near_words("elsewhere", language)
    is_inexact = _has_any(before[-2:], inexact) or _sequence(after, 0, inexact)
    return not is_inexact and not _has_any((*before, *after), elsewhere)


Word = tuple[str, int, int]  # folded, its start and end in the text
# Quantity, value, start of a lower bound (-1 if there is none), spans of number and phrase, and the clause.
Found = tuple[str, float, int, tuple[int, int], tuple[int, int], str]


def _figures_by_pattern(text: str, language: str) -> Iterator[Found]:
    """Yield the figures that the patterns of a language find, such as "14 killed"."""
    for quantity, places in QUANTITIES.items():
        if language not in places.get("pattern", {}):
            continue
        for match in _pattern(quantity, language).finditer(text):
            number = next(name for name, found in match.groupdict().items() if found is not None)
            start, end = match.span(number)
            ahead = CLAUSE_END.split(text[: match.start()][::-1], maxsplit=1)[0][::-1]
            behind = CLAUSE_END.split(text[match.end() :], maxsplit=1)[0]
            clause = f"{ahead}{match.group()}{behind}"
            least = find_lower_bound(text, match.start(), language)
            before = text[: least if least >= 0 else match.start()].rstrip()
            inexact, elsewhere = (near_words(name, language) for name in ("inexact", "elsewhere"))
            value = normalize(match.group(number))
            is_part = (
                before[-1:].isdigit() or before.endswith(tuple(inexact)) or any(word in clause for word in elsewhere)
            )
            if not is_part and not YEAR_VALUE.match(match.group(number)):
                yield quantity, float(value), least, (start, end), match.span(), clause


@cache
def _pattern(quantity: str, language: str) -> re.Pattern[str]:
    """
    Return the pattern of a quantity in a language; {n} in it stands for a number, the groups n0, n1… of the match.
    """
    alternatives = QUANTITIES[quantity]["pattern"][language].split("|")
    parts, depth, current = [], 0, ""
    for part in alternatives:  # join those that a bracket holds together
        current = f"{current}|{part}" if current else part
        depth = current.count("(") - current.count(")")
        if not depth:
            parts.append(current)
            current = ""
    named = (part.replace("{n}", rf"(?P<n{at}>{NUMBER_IN_TEXT.pattern})") for at, part in enumerate(parts))
    return re.compile("|".join(named))


@dataclass(frozen=True, slots=True)
class _Clause:
    """A number and the words around it, up to the next mark or number on both sides."""

    before: Sequence[Word]  # from the last "and" on; without words for a lower bound
    after: Sequence[Word]  # up to the next "and"
    whole: Sequence[Word]  # the words of the clause
    number: tuple[int, int]
    reaches: bool  # "rises to 14", "rises from 9 to 14"
    percent_end: int  # the end of "%" or "per cent" behind the number; 0 if it is no percentage


# The quantity that a number counts, and the span of the phrase that says so.
Reading = tuple[str, tuple[int, int]]


def _figures_by_words(text: str, language: str) -> Iterator[Found]:
    """Yield the figures whose quantity is shown by words near a number, such as "killed 14 people" or "4.5 percent"."""
    # Most sentences have a number or none, and nothing that is counted here.
    if _first_runs(language).isdisjoint(BARE_LETTERS.findall(fold_text(text))):
        return
    joins, reaches, elsewhere, percent = (
        near_words(name, language) for name in ("joins", "reaches", "elsewhere", "percent")
    )
    numbers = list(_numbers_in(text, language))
    # "from 15 to 19": only the second number may count, as a toll. "15 and 19", "15 to 19 people": neither does.
    range_starts: dict[int, int] = {}
    skipped = set()
    for (start, end, _), (other, _, _) in pairwise(numbers):
        between = fold(text[end:other].strip())
        if between in reaches:
            range_starts[other] = start
        if between in reaches | joins | {""}:
            skipped |= {start, other}
    for first, last, value in numbers:
        least = find_lower_bound(text, first, language)
        start = range_starts.get(first, least if least >= 0 else first)
        clause_start = start - len(CLAUSE_END.split(text[:start][::-1], maxsplit=1)[0])
        clause_end = last + len(CLAUSE_END.split(text[last:], maxsplit=1)[0])
        ahead, behind = _words_in(text, clause_start, start), _words_in(text, last, clause_end)
        percent_words = _sequence(behind, 0, percent)
        if _has_any((*ahead, *behind[percent_words:]), elsewhere):
            continue
        after = behind[: next((at for at, (word, _, _) in enumerate(behind) if word in joins), len(behind))]
        before = ahead[max((at + 1 for at, (word, _, _) in enumerate(ahead) if word in joins), default=0) :]
        percent_end = text.find("%", last) + 1 if text[last:].lstrip().startswith("%") else 0
        if percent_words:
            percent_end = behind[percent_words - 1][2]
        clause = _Clause(
            before=before,
            after=after,
            whole=(*ahead, *behind),
            number=(first, last),
            reaches=first in range_starts or bool(before and before[-1][0] in reaches),
            percent_end=percent_end,
        )
        if percent_end:
            found = _read_percentage(clause, language)
        elif not BARE.match(text, last):
            found = None
        else:
            found = _read_toll(clause, language)
            if found is None and first not in skipped:
                found = _read_behind(clause, language) or _read_in_front(clause, language)
        if found is not None:
            yield found[0], value, least, (first, last), found[1], text[clause_start:clause_end]


def _read_percentage(clause: _Clause, language: str) -> Reading | None:
    """Read "turnout of 63 %"."""
    named = next(_find_all(clause.whole, _quantity_words("percent", language)), None)
    if named is None or _has_any(clause.before[-2:], near_words("inexact", language)):
        return None
    quantity, start, end = named
    return quantity, (min(start, clause.number[0]), max(end, clause.percent_end))


def _read_toll(clause: _Clause, language: str) -> Reading | None:
    """Read "death toll rises to 14", "sube a 14 el número de muertos"."""
    before, after = clause.before, clause.after
    rises, reaches, inexact = (near_words(name, language) for name in ("rises", "reaches", "inexact"))
    if not clause.reaches or not before or _has_any(after[:2], inexact):
        return None
    table, stop = _quantity_words("toll", language), stop_words(language)
    end = _end_with_people(clause, language)
    named = set()
    for quantity, _, name_end in _find_all(before, table):
        following = next((word for word, start, _ in before if start >= name_end), None)
        if following is None or following in stop | rises | reaches:
            named.add(quantity)
    if not named and any(word in rises for word, _, _ in before):
        between = stop | near_words("counts", language)
        at = next((at for at, (word, _, _) in enumerate(after) if word not in between), len(after))
        if step := _sequence(after, at, table):
            named, end = {table[_join(after[at : at + step])]}, after[at + step - 1][2]
    if len(named) != 1:
        return None
    (quantity,) = named
    counted = _quantity_words("after", language)
    step = _sequence(after, 0, counted)
    if step and counted[_join(after[:step])] == quantity:
        end = after[step - 1][2]
    return quantity, (before[0][1], end)


def _read_behind(clause: _Clause, language: str) -> Reading | None:
    """Read "14 people have been killed", "14 dead"."""
    after, table = clause.after, _quantity_words("after", language)
    people, verbs, inexact = (near_words(name, language) for name in ("people", "verbs", "inexact"))
    at = 0
    while at < min(len(after), WORDS_AFTER) and not _sequence(after, at, table):
        step = _sequence(after, at, people) or _sequence(after, at, verbs)
        if not step:
            return None
        at += step
    step = _sequence(after, at, table)
    if not step:
        return None
    quantity, following = table[_join(after[at : at + step])], after[at + step : at + step + 1]
    is_noun_last = language not in NEAR_WORDS["order"]["noun_first"].split()
    is_adjective = at == 0 and is_noun_last and following and following[0][0] not in stop_words(language) | verbs
    is_more = not is_noun_last and _sequence(after, at + step, inexact)  # "15 morts de plus"
    is_part = (is_adjective and quantity != MAGNITUDE) or is_more
    if is_part or _has_any((*clause.before[-2:], *after[: at + step]), inexact):
        return None
    return quantity, (clause.number[0], after[at + step - 1][2])


def _read_in_front(clause: _Clause, language: str) -> Reading | None:
    """Read "killing 14", "kills 14 people", "a quake of magnitude 5.9"."""
    before, after = clause.before, clause.after
    table, stop = _quantity_words("before", language), stop_words(language)
    people, inexact = (near_words(name, language) for name in ("people", "inexact"))
    if _has_any(after[:2], inexact):
        return None
    bare = before[:-1] if before and before[-1][0] in stop else before
    named = _last_sequence(before, table) or _last_sequence(bare, table)
    if named is not None and named[0] == MAGNITUDE:
        return MAGNITUDE, (named[1], clause.number[1])
    named = _last_sequence(before, table)
    is_part = after and after[0][0] not in people | stop  # "kills 14 children"
    if named is None or is_part or _has_any(before[-2:], inexact):
        return None
    return named[0], (named[1], _end_with_people(clause, language))


def _end_with_people(clause: _Clause, language: str) -> int:
    step = _sequence(clause.after, 0, near_words("people", language))
    return clause.after[step - 1][2] if step else clause.number[1]


def _words_in(text: str, start: int, end: int) -> list[Word]:
    return [(fold(match.group()), match.start(), match.end()) for match in WORD.finditer(text, start, end)]


def _join(found: Sequence[Word]) -> str:
    return "-".join(word for word, _, _ in found)


def _sequence(found: Sequence[Word], at: int, table: Collection[str]) -> int:
    """Return how many words from `at` on are the longest entry of a table that stands there; 0 if none does."""
    for length in range(min(MAX_SEQUENCE, len(found) - at), 0, -1):
        if _join(found[at : at + length]) in table:
            return length
    return 0


def _last_sequence(found: Sequence[Word], table: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the quantity of the entry that stands at the end, and where the entry starts."""
    for length in range(min(MAX_SEQUENCE, len(found)), 0, -1):
        if quantity := table.get(_join(found[-length:])):
            return quantity, found[-length][1]
    return None


def _find_all(found: Sequence[Word], table: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    """Yield the quantity of each entry that stands in a sequence of words, with its start and end."""
    for at in range(len(found)):
        if step := _sequence(found, at, table):
            yield table[_join(found[at : at + step])], found[at][1], found[at + step - 1][2]


def _has_any(found: Sequence[Word], table: Collection[str]) -> bool:
    return any(_sequence(found, at, table) for at in range(len(found)))


def _numbers_in(text: str, language: str) -> Iterator[tuple[int, int, float]]:
    """Yield start, end and value of the numbers that may count something, also of those written as one word, "two"."""
    found = []
    for match in NUMBER_IN_TEXT.finditer(text):
        value = normalize(match.group())
        is_part = text[match.start() - 1 : match.start()].isalpha() or not BARE_PERCENT.match(text, match.end())
        is_part = is_part or (match.start() > 0 and text[match.start() - 1] in "-–—.:/$€£¥#")
        if not YEAR_VALUE.match(match.group()) and not is_part:
            found.append((match.start(), match.end(), float(value)))
    table = number_words(language)
    spelled = [(match, fold(match.group())) for match in WORD.finditer(text)] if table is not None else []
    for at, (match, word) in enumerate(spelled):
        beside = (near for _, near in (*spelled[max(0, at - 2) : at], *spelled[at + 1 : at + 2]))
        assert table is not None
        is_part = any(near in table.added or near in table.times for near in beside)  # "two hundred and four"
        if table.added.get(word, 0) >= MIN_SPELLED and not is_part and BARE.match(text, match.end()):
            found.append((match.start(), match.end(), float(table.added[word])))
    yield from sorted(found)


def find_lower_bound(text: str, number: int, language: str) -> int:
    """Return where the words for a lower bound in front of a number start; -1 if there are none."""
    phrases = _least_phrases(language)
    match = re.compile(rf"{phrases}\s*$", re.IGNORECASE).search(text, max(0, number - MAX_PHRASE_CHARS), number)
    return match.start() if phrases and match else -1


def _least_end(text: str, end: int, language: str) -> int:
    """Return where the words for a lower bound behind a phrase end; the phrase's end if there are none."""
    phrases = _least_phrases(language)
    match = re.compile(rf"\s+{phrases}", re.IGNORECASE).match(text, end)
    return match.end() if phrases and match else end


@cache
def _least_phrases(language: str) -> str:
    """Return a regular expression; empty if there is none for the language."""
    listed = NEAR_WORDS["least"].get(language, "")
    spelled = "|".join(re.escape(phrase).replace(r"\-", r"[\s-]+") for phrase in listed.split("|"))
    edge = "" if _is_unspaced(language) else r"\b"
    return rf"{edge}(?:{spelled}){edge}" if listed else ""


def _is_unspaced(language: str) -> bool:
    return language in QUANTITIES[KILLED]["pattern"]


@cache
def near_words(name: str, language: str) -> frozenset[str]:
    """Return the entries of a list of figure_words.toml, folded; the words of a sequence are joined by hyphens."""
    return frozenset(_fold_entry(word) for word in NEAR_WORDS[name].get(language, "").split())


@cache
def _counting_words(language: str) -> frozenset[str]:
    """Return the words by which the figures of a language are read."""
    near = chain.from_iterable(near_words(name, language) for name in ("rises", "reaches", "people", "verbs", "counts"))
    entries = chain(near, *(_quantity_words(place, language) for place in WORD_PLACES))
    return frozenset(word for entry in entries for word in entry.split("-"))


@cache
def _quantity_words(place: str, language: str) -> Mapping[str, str]:
    """Return entry → quantity for a place (after, before, toll, percent) in a language."""
    return {
        _fold_entry(word): quantity
        for quantity, places in QUANTITIES.items()
        for word in places.get(place, {}).get(language, "").split()
    }


@cache
def _first_runs(language: str) -> frozenset[str]:
    """Return the letters with which the entries of all places begin: a sentence without any of them has no figure."""
    entries = (entry for place in WORD_PLACES for entry in _quantity_words(place, language))
    return frozenset(run for entry in entries for run in BARE_LETTERS.findall(entry)[:1])


def _fold_entry(entry: str) -> str:
    return "-".join(map(fold, entry.split("-")))


def _places(text: str, language: str) -> frozenset[tuple[str, bool]]:
    found = load_gazetteer(language).find(text)
    return frozenset((match.code, match.is_city) for match in found if not match.is_ambiguous)


def _names(text: str, clause: str, language: str) -> frozenset[str]:
    """Return the capitalised words of a clause without "'s"; none if capitals say nothing: in a title, or in German."""
    written = WORD.findall(text)
    capital = [word for word in written[1:] if word[0].isupper()]
    if language in languages_in("capital_nouns") or len(capital) * 2 > len(written):
        return frozenset()
    return frozenset(POSSESSIVE.sub("", fold(word)) for word in WORD.findall(clause) if word in capital)
