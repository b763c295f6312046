"""What differs between the reports of a story: figures for one quantity, details that one has, other headlines."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice, permutations

from digests.analysis.country_names import languages_in
from digests.analysis.coverage import Coverage
from digests.analysis.gazetteer import load_gazetteer
from digests.analysis.numbers import NUMBER, YEAR, all_numbers, normalize, numbers_with_units
from digests.analysis.perspectives import make_mention
from digests.model import Detail, Difference, Perspective, Sentence, Story
from digests.summarise.angle import local_angle_test
from digests.summarise.lead import Headline, is_informative, make_sentence
from digests.summarise.readable import words_for_language
from watcher.model import Article
from watcher.text.dates import month_number
from watcher.text.sentences import sentences
from watcher.text.words import WORD, fold, stem, stems, stop_words, to_latin, words

MAX_REPORTS = 40  # independent reports that are compared
MIN_REPORTS = 3  # independent reports from which on one of them can be alone with a figure or a name
LEAD_SENTENCES = 3  # of a report, that are searched
READ_CHARS = 2000  # of a text
MAX_APART = 3  # quantities with different figures
MAX_ALONE, MAX_DETAILS = 2, 3  # reports with details of their own, and details of each
MIN_MENTIONS = 2  # of a name in a report that is alone with it
MAX_ASPECTS = 3  # headlines
MIN_OTHERS = 2  # reports in the language of a headline, that lack its words
WORDS_AFTER, WORDS_BEFORE = 6, 3  # words beside a number, that are searched for what it counts
MAGNITUDE, MIN_APART = "magnitude", 0.2  # magnitudes that are closer are one, measured twice
ROUNDED = 0.05  # larger figures that are closer are one, rounded
MIN_NEW, MIN_NEW_SHARE = 3, 0.6  # words of a headline that no other report has: it tells of another aspect
SAME_ASPECT = 0.5  # share of the words that two headlines of one aspect have in common
QUANTITIES: dict[str, dict[str, dict[str, str]]] = tomllib.loads(
    (files("digests.summarise") / "quantities.toml").read_text("utf-8")
)
UPPER, LOWER = (
    "".join(filter(is_such, map(chr, range(0x41, 0x530)))) for is_such in (str.isupper, str.islower)
)  # of alphabets that have both
# Two or more capitalised words inside a sentence: names, not nouns.
NAME = re.compile(rf"(?<=[{LOWER},] )[{UPPER}][\w'’-]+(?: [{UPPER}][\w'’-]+)+")
BARE = re.compile(r"(?!\s?[-–—:/%°]|\s?\d)")  # behind a number that is not a part of something: "66-year-old", "14:30"
LISTS = ("blocks", "elsewhere", "least", "people")
CLOCK = re.compile(r"-|^\d[\d.,:]*\s?(?:\w{1,2}|[A-Z]{3,4})$")  # "51AM", "56 IST" of a time of day; "14-week"
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
    """Return the figures that disagree, then the figures and names that one report alone has, of a story."""
    reports = [articles[key] for key in covered.origins if articles[key].outlet in covered.independent][:MAX_REPORTS]
    alone = _details_of_one(reports, can_read) if len(reports) >= MIN_REPORTS else ()
    return (*_figures_apart(reports, can_read), *alone)


def _figures_apart(reports: Sequence[Article], can_read: Callable[[str], bool]) -> tuple[Difference, ...]:
    by_quantity: dict[str, list[Figure]] = {}
    for article in reports:
        for quantity, figure in _figures_of(article).items():
            by_quantity.setdefault(quantity, []).append(figure)
    numbers = {article.id: all_numbers(f"{article.title} {article.text}", article.language) for article in reports}
    found = []
    for figures in by_quantity.values():
        values = Counter(figure.value for figure in figures)
        figures.sort(key=lambda f: (-values[f.value], f.value, f.sentence.published_at))
        readable = next((figure for figure in figures if can_read(figure.sentence.language)), None)
        if len(values) > 1 and readable and _all_apart(figures, numbers):
            figures.sort(key=lambda f: f.value != readable.value)
            groups = [[f for f in figures if f.value == value] for value in dict.fromkeys(f.value for f in figures)]
            details = tuple(_detail(group, readable) for group in groups)
            found.append(Difference(details=details, disagrees=True))
    return tuple(found[:MAX_APART])


def _detail(group: Sequence[Figure], readable: Figure) -> Detail:
    """Return one of the figures; in words for the one that is shown first, else the number alone."""
    is_first = readable in group
    figure = readable if is_first else group[0]
    start, end = figure.outer if is_first else (figure.start, figure.end)
    same = sorted(group, key=lambda f: f is not figure)
    return Detail(text=figure.sentence.text[start:end], sentences=tuple(f.sentence for f in same))


def _all_apart(figures: Sequence[Figure], numbers: Mapping[str, set[str]]) -> bool:
    """Whether each two different figures exclude each other, and no report has the other's figure anywhere too."""
    for one, other in permutations(figures, 2):
        low, high = sorted((one.value, other.value))
        if low == high:
            continue
        near = MIN_APART if one.quantity == MAGNITUDE else ROUNDED * high if high >= 100 else 0.0
        if high - low < near or (one.least and one.value == low) or (other.least and other.value == low):
            return False
        if f"{other.value:f}".replace(".", "").strip("0") in numbers[one.sentence.article_id]:
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
    text = article.text[:READ_CHARS]
    for start, end in islice(sentences(text, article.language), LEAD_SENTENCES):
        yield make_sentence(article, start, text[start:end])


def _figures_in(sentence: Sentence) -> Iterator[Figure]:
    text, language = sentence.text, sentence.language
    known = _quantities(language)
    blocks, elsewhere, least, people = (words_for_language(name, language) for name in LISTS)
    passed = people | stop_words(language) | least
    for match in NUMBER.finditer(text):
        value = normalize(match.group())
        if YEAR.match(value) or text[match.start() - 1 : match.start()].isalpha() or not BARE.match(text, match.end()):
            continue
        behind = CLAUSE_END.split(text[match.end() :], maxsplit=1)[0]
        ahead = CLAUSE_END.split(text[: match.start()][::-1], maxsplit=1)[0][::-1]
        after = [(fold(word.group()), match.end() + word.end()) for word in WORD.finditer(behind)]
        before = [(fold(word.group()), match.start() - len(ahead) + word.start()) for word in WORD.finditer(ahead)]
        front = next((at for at, (word, _) in enumerate(after[:WORDS_AFTER]) if word not in passed), None)
        named = known.get(("after", after[front][0])) if front is not None else None
        back = next((pair for pair in reversed(before[-WORDS_BEFORE:]) if pair[0] not in passed), None)
        quantity = named or (known.get(("before", back[0])) if back else None)
        near = {word for word, _ in (*before[-2:], *after[: (front or 0) + 1])}
        if quantity is None or near & blocks or elsewhere.intersection(word for word, _ in (*before, *after)):
            continue
        if not named and quantity != MAGNITUDE and front == 0:
            continue  # "kills 14 children": a part of the people
        lower = next((start for word, start in before[-2:] if word in least), None)
        start = (lower if lower is not None else match.start()) if named else back[1] if back else match.start()
        end = after[front][1] if named and front is not None else match.end()
        figure = (quantity, float(value), lower is not None, match.start(), match.end(), (start, end), sentence)
        yield Figure(*figure)


@cache
def _quantities(language: str) -> dict[tuple[str, str], str]:
    """Return (place, word) → quantity for a language."""
    return {
        (place, word): quantity
        for quantity, places in QUANTITIES.items()
        for place, listed in places.items()
        for word in listed.get(language, "").split()
    }


def _details_of_one(reports: Sequence[Article], can_read: Callable[[str], bool]) -> Iterator[Difference]:
    """Yield the details that no other report has, of the reports with most of them."""
    whole = {article.id: f"{article.title} {article.text}" for article in reports}
    digits = {article.id: all_numbers(whole[article.id], article.language) for article in reports}
    said = {key: {stem(to_latin(fold(word))) for word in {*words(text)}} for key, text in whole.items()}
    found = []
    for article in filter(lambda a: can_read(a.language), reports):
        others = [each.id for each in reports if each is not article]
        numbers, names = (set().union(*(known[key] for key in others)) for known in (digits, said))
        # Names are compared in one alphabet; where all nouns are capitalised, they cannot be told from these.
        has_names = all(2 * sum(map(str.isascii, said[key])) > len(said[key]) for key in others)
        has_names = has_names and article.language not in languages_in("capital_nouns")
        details: list[Detail] = []
        for sentence in _lead(article):
            counted = numbers_with_units(sentence.text, article.language).items()
            new = (_figure(text, sentence) for text, value in counted if value not in numbers)
            own = [figure for figure in new if figure]
            own += [
                name
                for name in (NAME.findall(sentence.text) if has_names else ())
                if "'" not in name.replace("’", "'")
                and whole[article.id].count(name.split()[-1]) >= MIN_MENTIONS
                and not any(name.split()[-1] in each.text for each in details)
                and not load_gazetteer(article.language).find(name)
                and names.isdisjoint(stem(to_latin(fold(word))) for word in words(name))
            ]
            details += [Detail(text=text, sentences=(sentence,)) for text in own]
        if details:
            found.append(Difference(details=tuple(details[:MAX_DETAILS]), disagrees=False))
    yield from sorted(found, key=lambda each: -len(each.details))[:MAX_ALONE]


def _figure(text: str, sentence: Sentence) -> str:
    """Return a number and its unit with its currency; "" for a date or time, or if it is cut off ("43,000 Rolex")."""
    at = sentence.text.find(text)
    unit = text.lstrip("0123456789.,\u00a0\u202f ")
    before, behind = sentence.text[:at], sentence.text[at + len(text) :]
    if at < 0 or before.endswith(tuple("/:.,-")) or CLOCK.search(text) or " " in unit:
        return ""
    if unit[:1].isupper() and sentence.language not in languages_in("capital_nouns"):
        return ""
    if (last := WORD.findall(before)[-1:]) and month_number(last[0]):
        return ""
    following = WORD.match(behind[1:]) if behind.startswith(" ") else None
    if following and fold(following.group()) not in stop_words(sentence.language):
        return ""
    return before[-1:] + text if before.endswith(tuple("$€£¥")) else text


def find_aspects(
    story: Story,
    articles: Mapping[str, Article],
    covered: Coverage,
    headline: Headline,
    can_read: Callable[[str], bool],
) -> tuple[Perspective, ...]:
    """
    Return up to `MAX_ASPECTS` headlines that lead with another aspect of a story, of which few other reports tell.

    Each is an outlet's, or a country's where two of its outlets or more lead with that aspect.
    """
    reports = [articles[key] for key in covered.origins if articles[key].outlet in covered.independent][:MAX_REPORTS]
    agencies = {key: group.agency for group in story.wire_groups for key in group.articles}
    is_local_angle = local_angle_test(story, articles)
    about = {article.id: set(stems(article.title, article.language)) for article in reports}
    said = {a.id: about[a.id].union(stems(a.text[:READ_CHARS], a.language)) for a in reports}
    found: list[tuple[float, Article, list[Article]]] = []
    for article in reports:
        own = about[article.id]
        alike = [a for a in reports if a.language == article.language and a.outlet != article.outlet]
        same = [a for a in alike if a.country == article.country and _is_one_aspect(own, about[a.id])]
        others = [a for a in alike if a not in same]
        new = own.difference(*(said[a.id] for a in others))
        is_new = len(others) >= MIN_OTHERS and len(new) >= max(MIN_NEW, MIN_NEW_SHARE * len(own))
        if (
            article.id != headline.article.id
            and article.outlet != headline.article.outlet
            and can_read(article.language)
            and is_informative(article.title, article.language)
            and (is_new or is_local_angle(article))
        ):
            found.append((len(new) / max(1, len(own)), article, same))
    chosen: list[Perspective] = []
    told: list[set[str]] = [about.get(headline.article.id, set())]
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
