"""What differs between the reports of a story: figures for one quantity, and headlines on another aspect."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, permutations

from digests.analysis.numbers import NUMBER_IN_TEXT, YEAR_VALUE, normalize
from digests.analysis.story_coverage import Coverage, make_mention
from digests.model.edition_story import Detail, Difference, Perspective, Sentence
from digests.model.story import Story
from digests.summarise.agreement import local_angle_test
from digests.summarise.lead import Headline, is_informative, make_sentence
from digests.summarise.readable import words_for_language
from watcher.model import Article
from watcher.text.number_words import number_words, parse_number_words
from watcher.text.sentences import sentences
from watcher.text.toml_data import load_toml
from watcher.text.words import WORD, fold, stems, stop_words

MAX_COMPARED_REPORTS = 40  # independent reports that are compared
MIN_FIGURE_REPORTS = 3  # independent reports from which on one of them can be alone with a figure
LEAD_SENTENCES = 3  # of a report, that are searched
FIGURE_TEXT_CHARS = 2000  # of a text
MIN_SPELLED = 2  # of a number written as a word: "one" seldom counts
MAX_SHOWN = 3  # quantities
MAX_ASPECTS = 3  # headlines
MIN_OTHERS = 2  # reports in the language of a headline, that lack its words
WORDS_AFTER, WORDS_BEFORE = 6, 3  # words beside a number, that are searched for what it counts
MAGNITUDE, MIN_APART = "magnitude", 0.2  # magnitudes that are closer are one, measured twice
ROUNDED = 0.05  # larger figures that are closer are one, rounded
MIN_NEW, MIN_NEW_SHARE = 3, 0.6  # words of a headline that no other report has: it tells of another aspect,
MIN_NEW_IN_LEAD = 0.3  # and does not only put it in other words, if the report's first sentence too has such words
SAME_ASPECT = 0.5  # share of the words that two headlines of one aspect have in common
QUANTITIES: dict[str, dict[str, dict[str, str]]] = load_toml("digests.summarise", "quantities.toml")
# Behind a number that is not a part of something: "66-year-old", "14:30", but "5.6-magnitude".
BARE = re.compile(r"(?!\s?[-–—:/%°](?!magnitude)|\s?\d)")
WORD_LISTS = ("blocks", "elsewhere", "least", "people")
CLAUSE_END = re.compile(r"[.,;:()–—!?\"“”«»\n\d]| - ")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of people or a magnitude, as one report has it. `least`: it may be more."""

    quantity: str
    value: float
    least: bool
    start: int  # of the number, and of the words that say what it counts, in the sentence
    end: int
    outer: tuple[int, int]
    sentence: Sentence


def find_differences(
    articles: Mapping[str, Article], covered: Coverage, can_read: Callable[[str], bool]
) -> tuple[Difference, ...]:
    """Return the quantities with different figures in a story's reports, then those that one report alone has."""
    origins = (articles[key] for key in covered.origins)
    reports = [article for article in origins if article.outlet in covered.independent][:MAX_COMPARED_REPORTS]
    by_quantity: dict[str, list[Figure]] = {}
    for article in reports:
        for quantity, figure in _figures_of(article).items():
            by_quantity.setdefault(quantity, []).append(figure)
    numbers = {article.id: _all_values(f"{article.title} {article.text}", article.language) for article in reports}
    can_be_alone = len(reports) >= MIN_FIGURE_REPORTS and all(_quantities(article.language) for article in reports)
    found = []
    for figures in by_quantity.values():
        values = Counter(figure.value for figure in figures)
        figures.sort(key=lambda f: (-values[f.value], f.value, f.sentence.published_at))
        readable = next((figure for figure in figures if can_read(figure.sentence.language)), None)
        disagrees = len(values) > 1 and _all_apart(figures, numbers)
        is_alone = can_be_alone and len(figures) == 1 == sum(figures[0].value in each for each in numbers.values())
        if readable and (disagrees or is_alone):
            figures.sort(key=lambda f: f.value != readable.value)
            groups = [[f for f in figures if f.value == value] for value in dict.fromkeys(f.value for f in figures)]
            details = tuple(_detail(group, readable) for group in groups)
            found.append(Difference(details=details, disagrees=disagrees))
    return tuple(sorted(found, key=lambda difference: not difference.disagrees)[:MAX_SHOWN])


def _detail(group: Sequence[Figure], readable: Figure) -> Detail:
    """Return one of the figures; in words for the one that is shown first, else the number alone."""
    is_first = readable in group
    figure = readable if is_first else group[0]
    start, end = figure.outer if is_first else (figure.start, figure.end)
    same = sorted(group, key=lambda f: f is not figure)
    return Detail(text=figure.sentence.text[start:end], sentences=tuple(f.sentence for f in same))


def _all_apart(figures: Sequence[Figure], numbers: Mapping[str, set[float]]) -> bool:
    """Whether each two different figures exclude each other, and no report has the other's figure anywhere too."""
    for one, other in permutations(figures, 2):
        low, high = sorted((one.value, other.value))
        if low == high:
            continue
        near = MIN_APART if one.quantity == MAGNITUDE else ROUNDED * high if high >= 100 else 0.0
        if high - low < near or (one.least and one.value == low) or (other.least and other.value == low):
            return False
        if other.value in numbers[one.sentence.article_id]:
            return False
    return True


def _figures_of(article: Article) -> dict[str, Figure]:
    """Return a report's figures by quantity; one that it states twice in different ways is left out."""
    found: dict[str, Figure] = {}
    unclear = set()
    title = make_sentence(article, 0, article.title)
    for sentence in (title, *_lead(article)):
        for figure in _figures_in(sentence):
            if found.setdefault(figure.quantity, figure).value != figure.value:
                unclear.add(figure.quantity)
            elif found[figure.quantity].sentence is title:
                found[figure.quantity] = figure
    return {name: each for name, each in found.items() if name not in unclear and each.sentence is not title}


def _lead(article: Article) -> Iterator[Sentence]:
    text = article.text[:FIGURE_TEXT_CHARS]
    for start, end in islice(sentences(text, article.language), LEAD_SENTENCES):
        yield make_sentence(article, start, text[start:end])


def _figures_in(sentence: Sentence) -> Iterator[Figure]:
    text, language = sentence.text, sentence.language
    known = _quantities(language)
    blocks, elsewhere, least, people = (words_for_language(name, language) for name in WORD_LISTS)
    passed = people | stop_words(language) | least
    for first, last, value in _numbers_in(text, language):
        behind = CLAUSE_END.split(text[last:], maxsplit=1)[0]
        ahead = CLAUSE_END.split(text[:first][::-1], maxsplit=1)[0][::-1]
        after = [(fold(word.group()), last + word.end()) for word in WORD.finditer(behind)]
        before = [(fold(word.group()), first - len(ahead) + word.start()) for word in WORD.finditer(ahead)]
        front = next((at for at, (word, _) in enumerate(after[:WORDS_AFTER]) if word not in passed), None)
        named = known.get(("after", after[front][0])) if front is not None else None
        back = next((pair for pair in reversed(before[-WORDS_BEFORE:]) if pair[0] not in passed), None)
        quantity = named or (known.get(("before", back[0])) if back else None)
        near = {word for word, _ in (*before[-2:], *after[: (front or 0) + 1])}
        is_inexact = bool(near & blocks) and quantity != MAGNITUDE
        if quantity is None or is_inexact or elsewhere.intersection(word for word, _ in (*before, *after)):
            continue
        if not named and quantity != MAGNITUDE and front == 0:
            continue  # "kills 14 children": a part of the people
        lower = next((start for word, start in before[-2:] if word in least), None)
        start = (lower if lower is not None else first) if named else back[1] if back else first
        end = after[front][1] if named and front is not None else last
        yield Figure(quantity, value, lower is not None, first, last, (start, end), sentence)


def _numbers_in(text: str, language: str) -> Iterator[tuple[int, int, float]]:
    """Yield start, end and value of the numbers that may count something, also of those written as one word, "two"."""
    for match in NUMBER_IN_TEXT.finditer(text):
        value = normalize(match.group())
        is_part = text[match.start() - 1 : match.start()].isalpha() or not BARE.match(text, match.end())
        if not YEAR_VALUE.match(value) and not is_part:
            yield match.start(), match.end(), float(value)
    if (table := number_words(language)) is None:
        return
    found = [(match, fold(match.group())) for match in WORD.finditer(text)]
    for at, (match, word) in enumerate(found):
        beside = (near for _, near in (*found[max(0, at - 2) : at], *found[at + 1 : at + 2]))
        is_part = any(near in table.added or near in table.times for near in beside)  # "two hundred and four"
        if table.added.get(word, 0) >= MIN_SPELLED and not is_part and BARE.match(text, match.end()):
            yield match.start(), match.end(), float(table.added[word])


def _all_values(text: str, language: str) -> set[float]:
    """Return the values of all numbers of a text, in figures or in words."""
    spelled = map(float, parse_number_words(text, language))
    return {float(normalize(number)) for number in NUMBER_IN_TEXT.findall(text)}.union(spelled)


@cache
def _quantities(language: str) -> dict[tuple[str, str], str]:
    """Return (place, word) → quantity for a language."""
    return {
        (place, word): quantity
        for quantity, places in QUANTITIES.items()
        for place, listed in places.items()
        for word in listed.get(language, "").split()
    }


def find_aspects(
    story: Story,
    articles: Mapping[str, Article],
    covered: Coverage,
    headline: Headline,
    can_read: Callable[[str], bool],
) -> tuple[Perspective, ...]:
    """Return up to `MAX_ASPECTS` headlines, of outlets or countries, with an aspect that few other reports tell of."""
    origins = (articles[key] for key in covered.origins)
    reports = [article for article in origins if article.outlet in covered.independent][:MAX_COMPARED_REPORTS]
    agencies = {key: group.agency for group in story.wire_groups for key in group.articles}
    is_local_angle = local_angle_test(story, {key: each for key, each in articles.items() if each.text})
    about = {article.id: set(stems(article.title, article.language)) for article in reports}
    leads = {a.id: {stem for s in islice(_lead(a), 1) for stem in stems(s.text, a.language)} for a in reports}
    said = {a.id: about[a.id].union(stems(a.text[:FIGURE_TEXT_CHARS], a.language)) for a in reports}
    found: list[tuple[float, Article, list[Article]]] = []
    for article in reports:
        own = about[article.id]
        alike = [a for a in reports if a.language == article.language and a.outlet != article.outlet]
        same = [a for a in alike if a.country == article.country and _is_one_aspect(own, about[a.id])]
        others = [a for a in alike if a not in same]
        new, lead = (words.difference(*(said[a.id] for a in others)) for words in (own, leads[article.id]))
        is_new = len(others) >= MIN_OTHERS and len(new) >= max(MIN_NEW, MIN_NEW_SHARE * len(own))
        if (
            article.outlet != headline.article.outlet
            and can_read(article.language)
            and is_informative(article.title, article.language)
            and len(lead) >= MIN_NEW_IN_LEAD * len(leads[article.id])
            and (is_new or is_local_angle(article))
        ):
            found.append((len(new) / max(1, len(own)), article, same))
    chosen: list[Perspective] = []
    told = [set(stems(headline.text, headline.article.language))]
    for _, article, same in sorted(found, key=lambda each: (-each[0], each[1].published_at, each[1].id)):
        if len(chosen) == MAX_ASPECTS or any(_is_one_aspect(about[article.id], each) for each in told):
            continue
        told.append(about[article.id])
        mention = make_mention(article, agency=agencies.get(article.id), shows_title=True)
        outlets = len({article.outlet, *(each.outlet for each in same)})
        group, name = ("country", article.country) if outlets > 1 and article.country else ("outlet", article.outlet)
        chosen.append(Perspective(group=group, name=name, outlets=outlets, mention=mention))
    return tuple(chosen)


def _is_one_aspect(one: set[str], other: set[str]) -> bool:
    return len(one & other) > SAME_ASPECT * min(len(one), len(other))
