"""The names that the gazetteer looks for: where they come from, and how they change in a sentence."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from digests.places.adjectives import DERIVED, adjectives
from digests.places.regions import bare, country_codes
from watcher.text.words import ASCII_WORD, ELISION, POSSESSIVE, fold, is_unspaced, words

KEY = 3  # letters by which names are looked up
ENDING = 6  # letters that may stand behind a name with a star
INFLECTION = 4  # letters that may stand behind a stem where words are inflected
SHORT = 4  # letters of a name that takes no ending longer than itself allows
CITY_STEM = 5  # letters of a city's name before its last vowel, from which it may be inflected
CITY_ENDING = 3
APOSTROPHE = re.compile("['’ʼ]")
UNCHANGING = re.compile("[\u0590-\u08ff]")  # Hebrew, Arabic: names take no endings
AGGLUTINATIVE = frozenset("fi et hu az kk ky uz tk mn".split())  # endings follow the whole word
INDIAN = re.compile("[\u0900-\u0dff]")  # endings are short there
UNINFLECTED = frozenset(
    "en de nl sv da nb no nn lb af fr es it pt ca gl id ms vi sw tl ht oc eu tr ar he fa ur".split()
)
VOWELS = (  # the last line: vowel signs of Indian scripts
    "aeiouyаеёиоуыэюяіїєαεηιουωაეიოუ"
    "\u093e\u093f\u0940\u0947\u0948\u094b\u094c\u09be\u09bf\u09c0\u09c7\u09c8\u09cb\u09cc\u0bcd"
)


@dataclass(frozen=True, slots=True)
class Name:
    """
    A name to look for: folded words, the last with up to `ending` letters more. Without a code it is no place.

    `lower`: it may begin with a small letter. `derives`: adjectives and peoples are made of it (`adjectives.DERIVED`).
    """

    tokens: tuple[str, ...]
    code: str
    is_city: bool = False
    ending: int = 0
    lower: bool = False
    derives: bool = False


def names_of(language: str) -> Iterator[Name]:
    """Yield the names of a language, those of cities apart."""
    yield from _phrases(language)
    yield from _countries(language)
    yield from _adjectives(language)
    yield from _forms(language)
    yield from _stems()


def normal(word: str) -> str:
    """Return a word folded, without an article before or an ending behind its apostrophe: "l'Ukraine", "Türkiye'de"."""
    folded = fold(word)
    if not APOSTROPHE.search(folded):
        return folded
    folded = ELISION.sub("", folded)
    stem, mark, _ = folded.partition("'") if "'" in folded else folded.partition("’")
    return stem if mark and len(stem) >= KEY else POSSESSIVE.sub("", folded)


def _countries(language: str) -> Iterator[Name]:
    """Yield CLDR's names, cut to stems where words are inflected."""
    for locale in locales(language):
        for code in country_codes():
            full = str(locale.territories.get(code, ""))
            others = re.findall(r"[(（]([^()（）]+)[)）]", full)
            for spelling in (bare(full), *others):
                tokens = tuple(normal(word) for word in words(spelling))
                if tokens and not (code in ("HK", "MO") and spelling != bare(full)) and len(tokens) <= 4:
                    yield _inflected(tokens, code, language)


def _inflected(tokens: tuple[str, ...], code: str, language: str) -> Name:
    derives = len(tokens) == 1 and language in DERIVED
    if language in UNINFLECTED:
        return Name(tokens, code, derives=derives)
    if all(len(token) <= SHORT for token in tokens):
        return Name(tokens, code, ending=1, derives=derives)
    cut = tokens if language in AGGLUTINATIVE else tuple(map(stem, tokens))
    if len(cut[-1]) == SHORT and cut[-1][-1] in VOWELS:  # "dani" of Dania: Danii, but not Daniela
        return Name(cut, code, ending=1 if cut[-1].isascii() else 2, derives=derives)
    return Name(cut, code, ending=INFLECTION, derives=derives)


def stem(token: str) -> str:
    """Return a word without its last vowel, which changes with the case, if enough is left: "нигери", not "нигер"."""
    return token[:-1] if token[-1] in VOWELS and len(token) > SHORT else token


def _adjectives(language: str) -> Iterator[Name]:
    for stem_, code, ending, lower in adjectives(language):
        yield Name((stem_,), code, ending=ending, lower=lower)


def _forms(language: str) -> Iterator[Name]:
    for table in (tables()["forms"], tables()["own"].get(language, {})):
        for code, spellings in table.items():
            yield from (_name(spelling, code, lower=True) for spelling in spellings.split())


def _stems() -> Iterator[Name]:
    for code, spellings in tables()["stems"].items():
        yield from (_name(spelling, code, lower=True) for spelling in spellings.split())


def _phrases(language: str) -> Iterator[Name]:
    for spelling in str(tables()["not_places"].get(language, "")).split():
        yield _name(spelling, "")


def _name(spelling: str, code: str, *, is_city: bool = False, lower: bool = False) -> Name:
    plain = tuple(fold(part) for part in spelling.rstrip("*").split("_"))
    return Name(plain, code, is_city=is_city, ending=ENDING if spelling.endswith("*") else 0, lower=lower)


def cities_like(folded: str, key: str, *, inflected: bool) -> Iterator[Name]:
    """
    Yield those of the cities of all languages whose names begin with `key` and then as a folded word does.

    Args:
        inflected: Latin names too take endings ("w Warszawie").
    """
    for tokens, code in spelt_cities(key[:1]).get(key, ()):
        if folded.startswith(tokens[0][:-1]):  # the last letter may be a vowel that changes
            yield _city(tokens, code, inflected=inflected)


@cache
def spelt_cities(letter: str) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Return the folded words and the country of each city of a folded first letter, by the beginning of its name."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for spelling, code in cities_by_letter().get(letter, ()):
        tokens = tuple(ASCII_WORD.findall(spelling.lower()) if is_plain(spelling) else map(normal, words(spelling)))
        if tokens and (spelling.isascii() or not is_unspaced(spelling)):
            found[tokens[0][:KEY]].append((tokens, code))
    return found


@cache
def cities_by_letter() -> dict[str, list[tuple[str, str]]]:
    """Return the cities with their countries by the first letter of their names, folded; few scripts are ever asked."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for code, names in city_rows():
        for spelling in names:
            found[first_letter(spelling)].append((spelling, code))
    return found


def first_letter(spelling: str) -> str:
    """Return the letter that a name begins with, folded; what stands with it may change it."""
    if APOSTROPHE.search(spelling) or not spelling[:1].isalnum():
        return "".join(map(normal, words(spelling)))[:1]
    return spelling[0].lower() if spelling[0].isascii() and spelling[1:2].isascii() else folded(spelling[:2])[:1]


def is_plain(spelling: str) -> bool:
    """Whether nothing of a name has to be folded but its case."""
    return spelling.isascii() and "'" not in spelling and '"' not in spelling


folded = lru_cache(1 << 12)(fold)


def _city(tokens: tuple[str, ...], code: str, *, inflected: bool) -> Name:
    last = tokens[-1]
    if UNCHANGING.match(last) or (last.isascii() and not inflected):
        return Name(tokens, code, is_city=True)
    if last[-1] in VOWELS and len(last) > CITY_STEM:
        return Name((*tokens[:-1], last[:-1]), code, is_city=True, ending=CITY_ENDING)
    if len(last) < (CITY_STEM if last.isascii() else SHORT):
        return Name(tokens, code, is_city=True)
    return Name(tokens, code, is_city=True, ending=2 if INDIAN.match(last) else CITY_ENDING)


def city_rows() -> Iterator[tuple[str, list[str]]]:
    """Yield each country's cities."""
    text = files("digests.places").joinpath("cities.tsv").read_text(encoding="utf-8")
    for line in text.splitlines()[1:]:  # the first one says where they are from
        code, _, names = line.partition("\t")
        yield code, names.split("|")
    for code, names in tables()["cities"].items():
        yield code, [name.replace("_", " ") for name in names.split()]


@cache
def tables() -> dict[str, Any]:
    """Return what `names.toml` says."""
    return tomllib.loads(files("digests.places").joinpath("names.toml").read_text(encoding="utf-8"))


def locales(language: str) -> list[Any]:
    """Return what CLDR knows of a language, in each of its scripts; English where it knows nothing."""
    from babel import Locale, UnknownLocaleError

    found = []
    for tag in (language, *({"zh": ("zh_Hant",), "sr": ("sr_Latn",)}.get(language, ()))):
        try:
            found.append(Locale.parse(tag))
        except (UnknownLocaleError, ValueError):
            continue
    return found or [Locale("en")]
