"""A claim beside a report: has the report its figures, names and negation, or others? Truth is not judged."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from itertools import islice

from digests.analysis.country_names import country_name, languages_in
from digests.analysis.gazetteer import load_gazetteer
from digests.analysis.numbers import NUMBER_IN_TEXT, normalize
from digests.analysis.rejections import says_rejection
from digests.model.edition_story import Sentence
from digests.summarise.checks import figures, script_of
from digests.summarise.figures import read_figures
from digests.summarise.lead import make_sentence
from digests.summarise.readable import words_for_language
from watcher.features.extract import capitalized_words
from watcher.model import Article, Features
from watcher.text.number_words import parse_number_words
from watcher.text.sentences import sentences
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence to look for in the reports, and what has to be the same there."""

    text: str
    language: str
    figures: frozenset[float | str]
    names: tuple[str, ...]  # folded, in Latin letters
    countries: frozenset[str]
    telling: frozenset[str] = frozenset()  # folded words by which it differs from a title that is nearly the same

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(stems(self.text, self.language))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    What a claim has, as it is written there, and a report has otherwise; a country by its name in the claim's language.

    `report` is "" if the report only lacks it. `claim` is "" for a negation, unless it is a word that decides.
    """

    kind: str  # "figure", "name", "negation", "word"
    claim: str = ""
    report: str = ""

    @property
    def description(self) -> str:
        if self.kind == "negation":
            return "only one of the two negates it"
        if self.report:
            return f"{self.kind} {self.report}, in the claim {self.claim}"
        return f"does not have the {self.kind} {self.claim}"


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
    )


def _without_outlet(text: str) -> str:
    """Return a headline without the name of its outlet: "… - Eurosport". Each word of it has a capital."""
    while match := OUTLET_BEHIND.search(text):
        is_name = all(word[:1].isupper() or "." in match["outlet"] for word in words(match["outlet"]))
        if not is_name or len(words(text[: match.start()])) < MIN_WORDS:
            break
        text = text[: match.start()]
    return text


def find_known_names(reports: Collection[Features]) -> frozenset[str]:
    """Return the words that most of the reports which have them write as a name, with a capital in a sentence."""
    named = Counter(stem for each in reports for stem in {name[:STEM_LENGTH] for name in each.names})
    said = Counter(stem for each in reports for stem in set(to_latin(each.stems).split("\n")))
    likely = {stem for stem, count in said.items() if 2 * named[stem] > count}
    return frozenset(name for each in reports for name in each.names if name[:STEM_LENGTH] in likely)


def add_telling_words(claim: Claim, reports: Iterable[Article]) -> Claim:
    """
    Return a claim with the words that differ from a report's title which has nearly all others.

    They are negations, and words with a capital. A claim that somebody changed shows in this, whatever the words are.
    """
    first, *others = words(claim.text)
    own = {fold(word) for word in (first, *others)}
    weighty = {fold(word) for word in others if word[:1].isupper()} | (own & _negations(claim.language))
    titles = [set(map(fold, words(each.title))) for each in reports if each.language == claim.language]
    near = [title for title in titles if len(own & title) >= MIN_NEAR_COPY * len(own | title)]
    return replace(claim, telling=frozenset[str]().union(*(weighty - title for title in near)))


def forgive_names(claim: Claim, comparisons: Sequence[Comparison]) -> list[Comparison]:
    """
    Return comparisons of reports on one event without the names that a report lacks, but others of them have.

    A report has to have half of the names itself: each writes of the others in its own way ("the president").
    """
    lacked = Counter(each for one in comparisons for each in one.differences)
    settled = []
    for one in comparisons:
        names = [each for each in one.differences if each.kind == "name"]
        is_near = 2 * len(names) <= len(claim.names) + len(claim.countries)
        forgiven = [each for each in names if is_near and lacked[each] < len(comparisons)]
        settled.append(replace(one, differences=tuple(each for each in one.differences if each not in forgiven)))
    return settled


def compare_claim(claim: Claim, article: Article) -> Comparison:
    """Return what an article on the claim's event has otherwise; nothing if it says the same, as far as that shows."""
    reported = list(_sentences_on(claim, article))
    nearest = max(reported, key=lambda each: len(claim.stems.intersection(stems(each.text, each.language))))
    differences = (
        *_figure_differences(claim, reported),
        *_name_differences(claim, article),
        *_telling_differences(claim, [reported[0], nearest], reported),
    )
    if _is_negated_otherwise(claim, [reported[0], nearest], reported):
        differences += (Difference(kind="negation"),)
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
    known, counted, stated = set[float | str](), dict[str, str](), dict[str, float]()
    for sentence in reported:
        known.update(figures(sentence.text, sentence.language))
        known.update(map(float, parse_number_words(sentence.text, sentence.language)))
        counted = dict(_read_counts(sentence)) | counted
        stated = {figure.quantity: figure.value for figure in read_figures(sentence)} | stated
    as_sentence = replace(reported[0], text=claim.text, language=claim.language)
    units = {number: unit for unit, number in _read_counts(as_sentence)}
    quantities: dict[float | str, str] = {figure.value: figure.quantity for figure in read_figures(as_sentence)}
    for figure in sorted(claim.figures, key=str):
        # Of the dead only their number counts, though forty may have been injured.
        other = stated.get(quantities.get(figure, ""))
        others = known if other is None else {other}
        is_year = figure == reported[0].published_at.year
        if is_year or figure in others or any(_is_rounded(figure, each) for each in others):
            continue
        written = figure if isinstance(figure, str) else f"{figure:.15g}"
        instead = counted.get(units.get(written, ""), "") if other is None else f"{other:.15g}"
        yield Difference(kind="figure", claim=written, report=instead)


def _read_counts(sentence: Sentence) -> Iterator[tuple[str, str]]:
    """Yield the stem of the word behind each number, and the number; the first number last."""
    for match in reversed([*NUMBER_IN_TEXT.finditer(sentence.text)]):
        behind = sentence.text[match.end() : match.end() + 40]
        unit = "%" if behind.lstrip().startswith("%") else next(iter(stems(behind, sentence.language)), "")
        if unit:
            yield unit, normalize(match.group())


def _is_rounded(figure: float | str, other: float | str) -> bool:
    if isinstance(figure, str) or isinstance(other, str) or min(figure, other) < CLAIM_MIN_ROUNDED or figure % 1:
        return False
    zeros = len(f"{figure:.0f}") - len(f"{figure:.0f}".rstrip("0"))
    return round(other, -zeros) == figure


def _telling_differences(claim: Claim, told: list[Sentence], reported: list[Sentence]) -> Iterator[Difference]:
    """Yield the telling words that a report lacks; one in another language cannot have them."""
    for word in sorted(claim.telling):
        kind, where = ("negation", told) if word in _negations(claim.language) else ("word", reported)
        said = (fold(each) for sentence in where for each in words(sentence.text))
        if told[0].language != claim.language or word not in said:
            yield Difference(kind=kind, claim=word)


def _name_differences(claim: Claim, article: Article) -> Iterator[Difference]:
    """Yield the countries and names of a claim that an article does not have."""
    text = f"{article.title}\n{article.text[:COMPARED_CHARS]}"
    is_same_language = article.language == claim.language
    places = {match.code for match in load_gazetteer(article.language).find(text)}
    missing = claim.countries - places
    for code in sorted(missing):
        yield Difference(kind="name", claim=country_name(code, claim.language))
    whole = [to_latin(fold(word)) for word in words(f"{text}\n{text.replace('-', '')}")]
    said = {part for word in whole for part in (word, *word.replace("’", "'").split("'"))}
    scripts = {script_of(word) for word in said if word[:1].isalpha()}
    for name in claim.names:
        matches = load_gazetteer(claim.language).find(name.capitalize())
        if any(match.code in places and (not match.is_city or not is_same_language) for match in matches):
            continue
        if any(match.code in missing and not match.is_city for match in matches):
            continue  # it is the name of a country that is given already
        # Names of a script that cannot be read here, and acronyms, which each language has its own of, are not judged.
        if script_of(name) not in scripts and not is_same_language:
            continue
        if not _is_said(name, said, claim.language, is_same_language=is_same_language):
            written = (word for word in words(claim.text) if to_latin(fold(word)) == name)
            yield Difference(kind="name", claim=next(written, name))


def _is_said(name: str, said: Set[str], language: str, *, is_same_language: bool) -> bool:
    """Whether a name is among the words of a report (`said`), also inflected or spelt as in another language."""
    is_spelt_so = not said.isdisjoint({name, f"{name}s", name.removesuffix("s")})
    if is_spelt_so or (is_same_language and language in ROMANCE_AND_GERMANIC):
        return is_spelt_so
    beginning = name[: max(4, len(name) - MAX_NAME_ENDING)]
    if any(word.startswith(beginning) and abs(len(word) - len(name)) <= MAX_NAME_ENDING for word in said):
        return True
    return not is_same_language and any(SequenceMatcher(None, name, word).ratio() >= MIN_ALIKE_TITLE for word in said)


def _is_negated_otherwise(claim: Claim, told: list[Sentence], reported: list[Sentence]) -> bool:
    """Whether only one of the two negates, or rejects, what the other says; a report says it first in `told`."""
    title, scopes = told[0], list(_find_negations(claim.text, claim.language))
    is_rejection = says_rejection(claim.text, claim.language)
    is_same_language = title.language == claim.language
    if not (_negations(claim.language) and _negations(title.language)):
        return False

    def negates(sentence: Sentence) -> bool:
        """Whether a sentence negates what the claim negates, or else what it says."""
        found = _find_negations(sentence.text, sentence.language)
        if scopes:
            return any(not is_same_language or len(each & own) >= min(2, len(own)) for each in found for own in scopes)
        return any(not is_same_language or each & claim.stems for each in found)

    if scopes or is_rejection:
        rejecting = (each for each in reported if is_rejection and says_rejection(each.text, each.language))
        return not any(map(negates, reported)) and not any(rejecting)
    return says_rejection(title.text, title.language) or any(map(negates, told if is_same_language else [title]))


def _find_negations(text: str, language: str) -> Iterator[frozenset[str]]:
    """Yield for each negation of a text the stems that it may negate."""
    known, text_words = _negations(language), words(text)
    for at, word in enumerate(text_words):
        folded = fold(word).replace("’", "'")
        is_part = bool(UNSPACED_RUN.search(word)) and any(each in word for each in known)
        if is_part or folded.endswith("n't") or not known.isdisjoint({folded, *folded.split("'")}):
            start = at + 1 if language not in ("de", "nl") else max(0, at - SCOPE)
            near = [word] if is_part else text_words[start : at + 1 + SCOPE]
            yield frozenset(stems(" ".join(near), language))


@cache
def _negations(language: str) -> frozenset[str]:
    """Return the folded words that negate; empty for a language whose negations are not known."""
    known = SAME_WORDS.get(language, language)
    return frozenset(map(fold, words_for_language("negations", known) | words_for_language("claim_negations", known)))
