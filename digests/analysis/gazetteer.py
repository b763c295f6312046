"""The gazetteer: finds names of countries, and of cities in them, in a text of any language."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import NamedTuple

from digests.analysis import country_names
from watcher.text.words import ARABIC_ARTICLE, WORD, is_unspaced, stop_words

MAX_BEFORE_NAME = 3  # words: "embassy of the United States"
MAX_TOKENS = 8_192  # words of a language that are cached as they are compared: a story's reports share most words
UNSPACED_LANGUAGES = ("zh", "ja", "th", "lo", "km", "my", "yue")
HEBREW_PREFIX = re.compile("^[ובלמהשכ]{1,2}(?=.{3})")
ARABIC_PREFIX = re.compile("^[وفبلك](?=.{4})")
SINGLE_WORD = re.compile(f"({WORD.pattern})")  # splits a text into what is between words, and the words
GLUE = frozenset({" ", "-", "\u00a0"})  # between two words that may be one name
HANGUL = re.compile("[\uac00-\ud7a3]")


@dataclass(frozen=True, slots=True)
class CountryMatch:
    """
    A country named in a text. `is_ambiguous`: it may not be meant, and counts only with another name of it.

    `is_abroad`: it is that of an institution which stands in other countries: "the U.S. consulate".
    `is_actor`: the text names a person or an office that acts for it.
    """

    code: str
    is_city: bool = False
    is_ambiguous: bool = False
    is_abroad: bool = False
    is_actor: bool = False


class NameToken(NamedTuple):
    """A word of a text, as names are compared with it."""

    folded: str
    is_capital: bool
    is_whole: bool  # all letters are capitals
    glued: bool  # only a space or hyphen separates it from the word before
    names: Sequence[country_names.PlaceName]  # that it may begin: the longest first, a country's before a city's


class Gazetteer:
    """The names of countries in one language, and of cities in all languages."""

    def __init__(self, language: str) -> None:
        """Index the names of places in a language by the first letters of their first word."""
        self._language = language
        self._names: dict[str, list[tuple[str, country_names.PlaceName]]] = defaultdict(list)
        self._ambiguous = country_names.word_set("names", "doubtful", "all", language)
        for name in country_names.load_place_names(language):
            # The last letter of a name may be another one in its adjectives.
            beginning = name.tokens[0][:-1] if name.has_adjectives else name.tokens[0]
            self._names[name.tokens[0][: country_names.KEY_LETTERS]].append((beginning, name))
        self._inflected = language not in country_names.languages_in("uninflected")
        self._needs_capitals = language == "en"
        self._read_word = lru_cache(MAX_TOKENS)(self._make_token)
        self._unspaced_names = _unspaced_names(language)

    def find(self, text: str) -> list[CountryMatch]:
        """Return the countries that `text` names, in order."""
        return [match for match in self.find_with_actors(text) if not match.is_actor]

    def find_with_actors(self, text: str) -> list[CountryMatch]:
        """Return the countries that `text` names, or whose president or office it names, in order."""
        if self._unspaced_names and is_unspaced(text):
            pattern, places = self._unspaced_names
            return [replace(places[name], is_ambiguous=name in self._ambiguous) for name in pattern.findall(text)]
        tokens = self._split(text)
        matches: list[CountryMatch] = []
        end = 0  # of the last name
        for index in [index for index, token in enumerate(tokens) if token.names]:  # most words begin no name
            matching = (name for name in tokens[index].names if self._goes_on(name, tokens, index))
            name = next(matching, None) if index >= end else None
            if name is None:
                continue
            end = index + len(name.tokens)
            # A name without a code is no country, and keeps its words from being one.
            if name.code:
                is_abroad = not name.is_city and _is_beside_embassy(tokens, index, end)
                is_ambiguous = self._is_ambiguous(tokens, index, name)
                matches.append(CountryMatch(name.code, name.is_city, is_ambiguous, is_abroad, name.is_actor))
        return matches

    def _split(self, text: str) -> list[NameToken]:
        """Return the words of a text, in the form in which names are compared."""
        pieces = SINGLE_WORD.split(text)
        # Behind an initial too: "Michael B. Jordan".
        before = ("", *pieces[1::2])
        glued = (
            between in GLUE or (between == ". " and len(word) == 1)
            for between, word in zip(pieces[::2], before, strict=False)
        )
        tokens = map(self._read_word, pieces[1::2], glued)
        return [token for token in tokens if token.folded]

    def _make_token(self, word: str, glued: bool) -> NameToken:
        """Return a word as names are compared with it."""
        folded, is_capital, is_whole = country_names.normalize(word), word[0].isupper(), word.isupper()
        if not folded or (self._needs_capitals and not is_capital and "a" <= folded[0] <= "z"):
            return NameToken(folded, is_capital, is_whole, glued, ())  # a small word is no name here
        names = [
            name
            for reading in ((folded,) if folded.isascii() else _readings(folded))
            for name in self._candidates(reading, is_capital)
            if self._begins(name, reading, is_capital, is_whole)
        ]
        names.sort(key=lambda name: (len(name.tokens), sum(map(len, name.tokens))), reverse=True)
        return NameToken(folded, is_capital, is_whole, glued, names or ())

    def _candidates(self, folded: str, is_capital: bool) -> list[country_names.PlaceName]:
        """Return the names whose beginning a word has, countries first."""
        key = folded[: country_names.KEY_LETTERS]
        keys = (key, key[:-1]) if len(key) == country_names.KEY_LETTERS else (key,)
        names = [name for k in keys for beginning, name in self._names.get(k, ()) if folded.startswith(beginning)]
        if is_capital or not _has_case(folded):
            names += [name for k in keys for name in country_names.find_cities(folded, k, inflected=self._inflected)]
        return names

    def _begins(self, name: country_names.PlaceName, word: str, is_capital: bool, is_whole: bool) -> bool:
        """Whether a folded word is the first one of a place's name, or a form of it."""
        if name.tokens[0] in country_names.word_set("grammar", "abbreviations", "capital") and not is_whole:
            return False
        is_small = not is_capital and _has_case(word)
        if name.has_adjectives and country_names.is_derived(word, name.tokens[0], self._language):
            return self._language != "en" or not is_small
        if is_small and not (name.lower and self._language != "en"):
            return False
        return self._is_form(word, name, 0)

    def _goes_on(self, name: country_names.PlaceName, tokens: list[NameToken], index: int) -> bool:
        """Whether the words behind `tokens[index]`, which begins a name, are its other words, or forms of them."""
        words = tokens[index : index + len(name.tokens)]
        return len(words) == len(name.tokens) and all(
            self._is_form(words[place].folded, name, place) for place in range(1, len(words))
        )

    def _is_form(self, word: str, name: country_names.PlaceName, place: int) -> bool:
        """Whether a folded word is that at `place` of a name, as it is or with a grammatical ending of its language."""
        name_part = name.tokens[place]
        if not word.startswith(name_part):
            return False
        is_last = place == len(name.tokens) - 1
        # "San" of San Marino does not change.
        changes = is_last or (
            name.max_ending == country_names.MAX_ENDING and len(name_part) > country_names.KEY_LETTERS
        )
        max_ending_letters = name.max_ending if changes else 0
        more = len(word) - len(name_part)
        if more and HANGUL.match(word):
            return word[len(name_part) :] in country_names.load_data("grammar")["korean"]["endings"].split()
        return more <= max_ending_letters or (
            more == 1
            and word[-1] == "s"
            and self._language in country_names.languages_in("genitive_s")
            and len(name_part) > country_names.SHORT_NAME
        )

    def _is_ambiguous(self, tokens: list[NameToken], index: int, name: country_names.PlaceName) -> bool:
        """Whether the name may be a person's or a thing's: it is listed as such, or is next to a capitalised word."""
        ambiguous = "_".join(name.tokens) in self._ambiguous
        if not tokens[index].folded[0].isascii() or self._language in country_names.languages_in("capital_nouns"):
            return ambiguous
        end = index + len(name.tokens)
        before = (
            index > 0 and tokens[index].glued and tokens[index - 1].is_capital and not self._is_start(tokens, index - 1)
        )
        after = end < len(tokens) and tokens[end].glued and tokens[end].is_capital
        always = "_".join(name.tokens) in country_names.word_set("names", "doubtful", "always")
        return (ambiguous or name.is_city) and (before or after or always)

    def _is_start(self, tokens: list[NameToken], index: int) -> bool:
        """Whether a token's capital says nothing: it begins a sentence, or is a small word that titles capitalise."""
        return index == 0 or not tokens[index].glued or tokens[index].folded in stop_words(self._language)


load_gazetteer = cache(Gazetteer)  # by language; built at first use, in some 20 ms


def countries_in(text: str, language: str, *, cities: bool = True) -> frozenset[str]:
    """Return the ISO codes of the countries that a text surely names; with `cities`, or a city or province of them."""
    matches = load_gazetteer(language).find(text)
    return frozenset(match.code for match in matches if not match.is_ambiguous and (cities or not match.is_city))


def _is_beside_embassy(tokens: Sequence[NameToken], start: int, end: int) -> bool:
    """Whether a word for an embassy stands directly behind a name, or before it with words such as "of the" between."""
    embassies = tuple(country_names.word_set("names", "embassies", "all"))
    joins = country_names.word_set("names", "embassies", "joins")
    # Behind "U.S." there is a full stop.
    if any(token.folded.startswith(embassies) for token in tokens[end : end + 1]):
        return True
    before = reversed(tokens[max(0, start - MAX_BEFORE_NAME) : start])
    nearest = next((token for token in before if token.folded not in joins), None)
    return nearest is not None and nearest.folded.startswith(embassies)


def _has_case(folded: str) -> bool:
    """Whether names that begin so have a capital. Georgian has capital letters, but does not use them."""
    return folded[0] != folded[0].upper() and not "ა" <= folded[0] <= "ჿ"


def _readings(folded: str) -> Iterator[str]:
    """Yield a word, then the word without the article or preposition that Arabic and Hebrew write with it."""
    yield folded
    bare_words = (pattern.sub("", folded) for pattern in (ARABIC_ARTICLE, ARABIC_PREFIX, HEBREW_PREFIX))
    yield from (bare_word for bare_word in bare_words if bare_word != folded)


def _unspaced_names(language: str) -> tuple[re.Pattern[str], dict[str, CountryMatch]] | None:
    """Return (pattern, names → country) for a language without spaces; None for other languages."""
    if language not in UNSPACED_LANGUAGES:
        return None
    meaning = {
        name: CountryMatch(code, is_city=True)
        for code, names in country_names.city_rows()
        for name in names
        if len(name) > 1 and not name.isascii() and is_unspaced(name)
    }
    for locale in country_names.find_locales(language):
        for code in country_names.COUNTRY_CODES:
            name = country_names.strip_brackets(str(locale.territories.get(code, "")))
            if len(name) > 1:
                meaning[name] = CountryMatch(code)
    for code, names in country_names.load_data("names")["pieces"].get(language, {}).items():
        meaning.update((name, CountryMatch(code)) for name in names.split())
    meaning.update((name, CountryMatch(code, is_actor=True)) for code, name in country_names.actor_names(language))
    longest_first = sorted(meaning, key=lambda name: (-len(name), name))
    # A name in katakana inside a longer katakana word is not one.
    parts = [
        rf"(?<![ァ-ヺー]){re.escape(n)}(?![ァ-ヺー])" if "ァ" <= n[0] <= "ヺ" else re.escape(n) for n in longest_first
    ]
    return re.compile("|".join(parts)), meaning
