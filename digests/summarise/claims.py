"""A claim beside a report: has the report its figures, names and negation, or others? Truth is not judged."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from itertools import islice

from digests.analysis.country_names import languages_in
from digests.analysis.gazetteer import load_gazetteer
from digests.analysis.numbers import NUMBER_IN_TEXT, normalize
from digests.analysis.rejections import says_rejection
from digests.model.edition_story import Sentence
from digests.summarise.checks import figures, script_of
from digests.summarise.figures import read_figures
from digests.summarise.lead import make_sentence
from watcher.features.extract import capitalized_words
from watcher.model import Article, Features
from watcher.text.number_words import parse_number_words
from watcher.text.sentences import sentences
from watcher.text.toml_data import load_toml
from watcher.text.words import SAME_WORDS, STEM_LENGTH, UNSPACED_RUN, fold, stems, to_latin, words

CLAIM_CHARS = 300
COMPARED_CHARS = 2_000  # of a report
MAX_COMPARED_SENTENCES = 12  # of these
OUTLET_BEHIND = re.compile(r"\s[-–—|]\s(?P<outlet>[^-–—|]{2,30})$")
MIN_WORDS = 4  # of a claim without the outlet behind it
PART_OF_NAME = re.compile(r"(?<=[^\W\d_])[-–]?\d+")  # "Covid-19", "G7"
CLAIM_LEAD_SENTENCES = 3  # that are compared with a claim in another language
MIN_CLAIM_STEMS = 2  # stems of a claim that a sentence behind the title has, to be on it
CLAIM_MIN_SPELLED = 2  # of a number written as a word: "one" seldom counts
MIN_NEAR_COPY = 0.7  # of the words of a claim and a title, from which on one was made from the other
CLAIM_MIN_ROUNDED = 100  # from which on a claim may round a figure
CLAIM_MAX_CAPITALS = 0.5  # of a claim's words: above it, capitals mark no names
SCOPE = 4  # words behind a negation that it may negate; in German and Dutch in front of it too
MIN_ALIKE_TITLE = 0.7  # of two spellings of a name in two scripts: "tramp" and "trump"
MAX_NAME_ENDING = 2  # letters of a name's ending that may change, in a language that inflects names
ROMANCE_AND_GERMANIC = frozenset("en de nl fr es ca pt it sv da no nb nn".split())  # whose names have no cases
NEGATIONS: dict[str, str] = load_toml("digests.summarise", "claims.toml")["negations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence to look for in the reports, and what has to be the same there."""

    text: str
    language: str
    figures: frozenset[float | str]
    names: tuple[str, ...]  # folded, in Latin letters
    countries: frozenset[str]
    is_rejection: bool
    telling: frozenset[str] = frozenset()  # folded words by which it differs from a title that is nearly the same

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(stems(self.text, self.language))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a claim has, and a report has otherwise. `report` is "" if the report only lacks it."""

    kind: str  # "figure", "name", "negation", "word"
    claim: str
    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A report beside a claim: the sentence or title of it that is nearest, and what differs."""

    article: Article
    nearest: Sentence
    differences: tuple[Difference, ...]


def parse_claim(text: str, language: str, known_names: Set[str] = frozenset()) -> Claim:
    """Return a claim; `known_names` are those of the reports around it, which tell a name where capitals do not."""
    text = _without_outlet(" ".join(text.split())[:CLAIM_CHARS])
    # An acronym is no name here: a report may spell it out.
    acronyms = {to_latin(fold(word)) for word in words(text) if word.isupper()}
    capitals = [each for each in capitalized_words(text) if each[0] not in acronyms]
    has_few_capitals = len(capitals) <= CLAIM_MAX_CAPITALS * len(words(text))
    marks_names = has_few_capitals and language not in languages_in("capital_nouns")
    gazetteer = load_gazetteer(language)
    countries = {match.code for match in gazetteer.find(text) if not (match.is_city or match.is_ambiguous)}
    names = [name for name, is_inside in capitals if (is_inside and marks_names) or name in known_names]
    spelled = {float(value) for value in parse_number_words(text, language) if value >= CLAIM_MIN_SPELLED}
    return Claim(
        text=text,
        language=language,
        figures=frozenset(figures(PART_OF_NAME.sub(" ", text), language)) | spelled,
        names=tuple(dict.fromkeys(names)),
        countries=frozenset(countries),
        is_rejection=says_rejection(text, language),
    )


def _without_outlet(text: str) -> str:
    """Return a headline without the name of its outlet: "… - Eurosport". Each word of it has a capital."""
    while match := OUTLET_BEHIND.search(text):
        is_name = all(word[:1].isupper() or "." in match["outlet"] for word in words(match["outlet"]))
        if not is_name or len(words(text[: match.start()])) < MIN_WORDS:
            break
        text = text[: match.start()]
    return text


def find_known_names(reports: Iterable[Features]) -> frozenset[str]:
    """Return the words that most of the reports which have them write as a name, with a capital in a sentence."""
    named, said, spelled = Counter[str](), Counter[str](), set[str]()
    for features in reports:
        named.update({name[:STEM_LENGTH] for name in features.names})
        said.update(set(to_latin(features.stems).split("\n")))
        spelled.update(features.names)
    return frozenset(name for name in spelled if 2 * named[name[:STEM_LENGTH]] > said[name[:STEM_LENGTH]] > 0)


def add_telling_words(claim: Claim, reports: Iterable[Article]) -> Claim:
    """
    Return a claim with the words that differ from a report's title which has nearly all others.

    They are negations, and words with a capital. A claim that somebody changed shows in this, whatever the words are.
    """
    negations = _negations(claim.language) or frozenset()
    found = words(claim.text)
    weighty = {fold(word) for word in found[1:] if word[:1].isupper()} | negations.intersection(map(fold, found))
    telling: set[str] = set()
    for report in reports:
        title = set(map(fold, words(report.title)))
        own = set(map(fold, found))
        is_near = report.language == claim.language and len(own & title) >= MIN_NEAR_COPY * len(own | title)
        if is_near and not own <= title:
            telling |= weighty - title
    return replace(claim, telling=frozenset(telling))


def forgive_names(claim: Claim, comparisons: Sequence[Comparison]) -> list[Comparison]:
    """
    Return comparisons of reports on one event without the names that a report lacks, but others of them have.

    A report has to have half of the names itself: each writes of the others in its own way ("the president").
    """
    lacking = [{each.claim for each in one.differences if each.kind == "name"} for one in comparisons]
    nowhere = set.intersection(*lacking) if lacking else set()
    total = len(claim.names) + len(claim.countries)
    return [
        replace(
            one,
            differences=tuple(
                each
                for each in one.differences
                if each.kind != "name" or each.claim in nowhere or 2 * len(names) > total
            ),
        )
        for one, names in zip(comparisons, lacking, strict=True)
    ]


def compare_claim(claim: Claim, article: Article) -> Comparison:
    """Return what an article on the claim's event has otherwise; nothing if it says the same, as far as that shows."""
    sentences_on_it = list(_sentences_on(claim, article))
    if article.language == claim.language:
        nearest = max(sentences_on_it, key=lambda each: len(claim.stems.intersection(stems(each.text, each.language))))
    else:
        nearest = sentences_on_it[0]
    differences = (
        *_figure_differences(claim, sentences_on_it),
        *_name_differences(claim, article),
        *_telling_differences(claim, [sentences_on_it[0], nearest], sentences_on_it),
        *_negation_differences(claim, [sentences_on_it[0], nearest], sentences_on_it),
    )
    return Comparison(article=article, nearest=nearest, differences=differences)


def _sentences_on(claim: Claim, article: Article) -> Iterator[Sentence]:
    """Yield the title, and the sentences that share words with the claim; in another language the first ones."""
    yield make_sentence(article, 0, article.title)
    text = article.text[:COMPARED_CHARS]
    is_same_language = article.language == claim.language
    limit = MAX_COMPARED_SENTENCES if is_same_language else CLAIM_LEAD_SENTENCES
    for start, end in islice(sentences(text, article.language), limit):
        sentence = text[start:end]
        shared = claim.stems.intersection(stems(sentence, article.language))
        if not is_same_language or len(shared) >= MIN_CLAIM_STEMS:
            yield make_sentence(article, start, sentence)


def _figure_differences(claim: Claim, reported: list[Sentence]) -> Iterator[Difference]:
    """Yield the numbers of a claim that the report's sentences do not have, with the number that they have instead."""
    known: set[float | str] = set()
    for sentence in reported:
        known.update(figures(sentence.text, sentence.language))
        known.update(map(float, parse_number_words(sentence.text, sentence.language)))
    counted = {}
    for sentence in reported:
        counted.update(dict(reversed(list(_read_counts(sentence.text, sentence.language)))))
    units = {value: unit for unit, value in _read_counts(claim.text, claim.language)}
    as_sentence = replace(reported[0], text=claim.text, language=claim.language)
    quantities = {figure.value: figure.quantity for figure in read_figures(as_sentence)}
    stated = {figure.quantity: figure.value for each in reversed(reported) for figure in read_figures(each)}
    for figure in sorted(claim.figures, key=str):
        quantity = quantities.get(figure, "") if isinstance(figure, float) else ""
        # Of the dead only their number counts, though forty may have been injured.
        others = {stated[quantity]} if quantity in stated else known
        is_year = figure == reported[0].published_at.year
        if is_year or figure in others or any(_is_rounded(figure, other) for other in others):
            continue
        written = figure if isinstance(figure, str) else f"{figure:g}"
        other = f"{stated[quantity]:g}" if quantity in stated else counted.get(units.get(written, ""), "")
        yield Difference(kind="figure", claim=written, report=other)


def _read_counts(text: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield the stem of the word behind each number, and the number."""
    for match in NUMBER_IN_TEXT.finditer(text):
        behind = "%" if text[match.end() :].lstrip().startswith("%") else ""
        if unit := behind or next(iter(stems(text[match.end() : match.end() + 40], language)), ""):
            yield unit, normalize(match.group())


def _is_rounded(figure: float | str, other: float | str) -> bool:
    if isinstance(figure, str) or isinstance(other, str) or min(figure, other) < CLAIM_MIN_ROUNDED or figure % 1:
        return False
    digits = len(f"{figure:.0f}") - len(f"{figure:.0f}".rstrip("0"))
    return 0 < digits < len(f"{figure:.0f}") and round(other, -digits) == figure


def _telling_differences(claim: Claim, told: list[Sentence], reported: list[Sentence]) -> Iterator[Difference]:
    """Yield the telling words that a report lacks; one in another language cannot have them."""
    negations = _negations(claim.language) or frozenset()
    for word in sorted(claim.telling):
        where = told if word in negations else reported
        said = (fold(each) for sentence in where for each in words(sentence.text))
        if told[0].language != claim.language or word not in said:
            yield Difference(kind="negation" if word in negations else "word", claim=word, report="")


def _name_differences(claim: Claim, article: Article) -> Iterator[Difference]:
    """Yield the countries and names of a claim that an article does not have."""
    text = f"{article.title}\n{article.text[:COMPARED_CHARS]}"
    is_same_language = article.language == claim.language
    places = {match.code for match in load_gazetteer(article.language).find(text)}
    for code in sorted(claim.countries - places):
        yield Difference(kind="name", claim=code, report="")
    said = {to_latin(fold(word)) for word in words(f"{text}\n{text.replace('-', '')}")}
    scripts = {script_of(word) for word in said if word[:1].isalpha()}
    for name in claim.names:
        matches = load_gazetteer(claim.language).find(name.capitalize())
        if any(match.code in places and (not match.is_city or not is_same_language) for match in matches):
            continue
        # Names of a script that cannot be read here, and acronyms, which each language has its own of, are not judged.
        if script_of(name) not in scripts and not is_same_language:
            continue
        if not _is_said(name, said, claim.language, is_same_language=is_same_language):
            yield Difference(kind="name", claim=name, report="")


def _is_said(name: str, said: Set[str], language: str, *, is_same_language: bool) -> bool:
    """Whether a name is among the words of a report (`said`), also inflected or spelt as in another language."""
    if said & {name, f"{name}s", name.removesuffix("s"), f"{name}'s", f"{name}’s"}:
        return True
    if is_same_language and language in ROMANCE_AND_GERMANIC:
        return any(part == name for word in said if name in word for part in word.replace("’", "'").split("'"))
    beginning = name[: max(4, len(name) - MAX_NAME_ENDING)]
    if any(word.startswith(beginning) and abs(len(word) - len(name)) <= MAX_NAME_ENDING for word in said):
        return True
    return not is_same_language and any(SequenceMatcher(None, name, word).ratio() >= MIN_ALIKE_TITLE for word in said)


def _negation_differences(claim: Claim, told: list[Sentence], reported: list[Sentence]) -> Iterator[Difference]:
    """Yield a difference if only one of the two negates, or rejects, what the other says; `told` says it first."""
    scopes = _find_negations(claim.text, claim.language)
    if scopes is None or _negations(told[0].language) is None:
        return
    is_negative = bool(scopes) or claim.is_rejection
    title = told[0]
    is_same_language = title.language == claim.language
    if is_negative:
        negating = [
            sentence
            for sentence in reported
            if (claim.is_rejection and says_rejection(sentence.text, sentence.language))
            or any(
                not is_same_language or any(len(scope & own) >= min(2, len(own)) for own in scopes)
                for scope in _find_negations(sentence.text, sentence.language) or ()
            )
        ]
        if not negating:
            yield Difference(kind="negation", claim=claim.text, report=title.text)
        return
    for sentence in told if is_same_language else told[:1]:
        negated = _find_negations(sentence.text, sentence.language) or ()
        about = claim.stems
        is_negated = any(not is_same_language or scope & about for scope in negated)
        if is_negated or (sentence is title and says_rejection(sentence.text, sentence.language)):
            yield Difference(kind="negation", claim=claim.text, report=sentence.text)
            return


def _find_negations(text: str, language: str) -> list[frozenset[str]] | None:
    """Return for each negation of a text the stems that it may negate; None if the negations are not known."""
    known = _negations(language)
    if known is None:
        return None
    found = words(text)
    scopes = []
    for at, word in enumerate(found):
        parts = {fold(word), *fold(word).replace("’", "'").split("'")}
        is_part = bool(UNSPACED_RUN.search(word)) and any(each in word for each in known)
        if parts & known or fold(word).replace("’", "'").endswith("n't") or is_part:
            start = at + 1 if language not in ("de", "nl") else max(0, at - SCOPE)
            near = [word] if is_part else found[start : at + 1 + SCOPE]
            scopes.append(frozenset(stems(" ".join(near), language)))
    return scopes


@cache
def _negations(language: str) -> frozenset[str] | None:
    listed = NEGATIONS.get(SAME_WORDS.get(language, language))
    return frozenset(map(fold, listed.split())) if listed else None
