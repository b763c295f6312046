"""Names of countries, regions and cities: for headings in a reader's language, and as stems to find them in texts."""

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale, UnknownLocaleError

from watcher.text.toml_data import load_toml
from watcher.text.words import ARABIC_ARTICLE, ELISION, POSSESSIVE, fold, is_unspaced, words

REGIONS = ("africa", "americas", "asia-pacific", "europe", "middle-east", "world")
CLDR_REGIONS = {"africa": "002", "americas": "019", "europe": "150", "middle-east": "145", "world": "001"}
ASIA, OCEANIA = "142", "009"
SCRIPTS = {"zh": ("zh-Hant",), "sr": ("sr-Latn",)}  # further CLDR tags of a language


@cache
def load_data(name: str) -> dict[str, Any]:
    """Return the content of a TOML file in this package."""
    return load_toml("digests.analysis", f"{name}.toml")


@cache
def word_set(name: str, table: str, *keys: str) -> frozenset[str]:
    """Return the words under `keys` in a table of a TOML file in this package; missing keys have none."""
    table_words = load_data(name)[table]
    return frozenset(" ".join(table_words.get(key, "") for key in keys).split())


def languages_in(group: str) -> frozenset[str]:
    return word_set("grammar", "groups", group)


REGION_OF: dict[str, str] = {
    code: region for region, codes in load_data("regions")["members"].items() for code in codes.split()
}
COUNTRY_CODES = tuple(sorted(REGION_OF))  # ISO codes of all countries, and of territories that the news treats as such


def region_of(country: str | None) -> str:
    """Return the region of a country, given by ISO code; "world" for None and for places without a region."""
    return REGION_OF.get(country or "", "world")


def region_title(region: str, language: str) -> str:
    """Return the title of a region in `language`, in English if the language is unknown."""
    territories = find_locales(language)[0].territories
    primary = _primary(language)
    if region == "asia-pacific":
        return "Asia–Pacific" if primary == "en" else f"{territories[ASIA]}–{territories[OCEANIA]}"
    if region == "middle-east" and primary in load_data("regions")["middle_east"]:
        return str(load_data("regions")["middle_east"][primary])
    name = str(territories[CLDR_REGIONS.get(region, CLDR_REGIONS["world"])])
    return name[:1].upper() + name[1:]


def section_title(region: str, language: str) -> str:
    """Return the title of a region's section; "world" is the stories without a place, "followed" those followed."""
    names = load_data("regions")["section"].get(region)
    return str(names.get(_primary(language), names["en"])) if names else region_title(region, language)


def country_name(code: str, language: str) -> str:
    """Return the usual short name of a country in `language`; `code` itself if it is unknown."""
    short = load_data("regions")["short"].get(_primary(language), {})
    return str(short.get(code) or strip_brackets(str(find_locales(language)[0].territories.get(code, code))))


def strip_brackets(name: str) -> str:
    """Return a name without the second name that CLDR has in brackets: "Myanmar (Burma)"."""
    return name.split("(")[0].split("（")[0].strip()


def _primary(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].lower()


@cache
def find_locales(language: str) -> tuple[Locale, ...]:
    """Return the CLDR locales of a language, one for each of its scripts; English if there is none."""
    locales = []
    for tag in dict.fromkeys((language, _primary(language), *SCRIPTS.get(language, ()))):
        with suppress(UnknownLocaleError, ValueError):
            locales.append(Locale.parse(tag, sep="-"))
    return tuple(locales) or (Locale("en"),)


KEY_LETTERS = 3  # first letters by which names are looked up
MAX_STAR_ENDING = 6  # letters after a name that is listed with a star
MAX_ENDING = 4  # letters after a stem in inflected languages
SHORT_NAME = 4  # letters: a country's name no longer than this takes one more letter at most, and keeps its last vowel
CITY_STEM = 5  # letters of a city's name from which on it may be inflected
MAX_CITY_ENDING = 3
APOSTROPHE = re.compile("['’ʼ]")
UNCHANGING = re.compile("[\u0590-\u08ff]")  # Hebrew, Arabic: names take no endings
INDIAN = re.compile("[\u0900-\u0dff]")  # endings are short there
VOWELS = (  # the last line: vowel signs of Indian scripts
    "aeiouyаеёиоуыэюяіїєαεηιουωაეიოუ"
    "\u093e\u093f\u0940\u0947\u0948\u094b\u094c\u09be\u09bf\u09c0\u09c7\u09c8\u09cb\u09cc\u0bcd"
)
FINAL_VOWEL = re.compile(r"[aeiouyаеиоуыэюяіїєαეიოუ]$")
MIN_STEM = 4  # letters that an adjective's stem needs
LONG_STEM = 5  # letters from which on a stem takes any usual ending


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A name to find in a text, as folded words."""

    tokens: tuple[str, ...]
    code: str  # "" if it is not a place
    is_city: bool = False
    max_ending: int = 0  # letters that the last word may have more
    lower: bool = False  # it may start with a small letter
    has_adjectives: bool = False  # adjectives and demonyms are derived from it (`is_derived`)
    is_actor: bool = False  # who acts for a country: its president, an office


def load_place_names(language: str) -> Iterator[PlaceName]:
    """Yield the names of a language, without the cities."""
    # `forms`: names that are read in all languages; `own`: those of one language; `stems`: beginnings of adjectives.
    tables = load_data("names")
    for spelling in str(tables["not_places"].get(language, "")).split():
        yield _listed_name(spelling, "", lower=False)
    yield from _cldr_names(language)
    yield from _adjectives(language)
    for table in (tables["forms"], tables["own"].get(language, {}), tables["stems"]):
        for code, spellings in table.items():
            yield from (_listed_name(spelling, code, lower=True) for spelling in spellings.split())
    max_ending = 0 if language in languages_in("uninflected") else MAX_CITY_ENDING
    for code, spelling in actor_names("all", language):
        # "el papa Francisco", "le roi Charles"
        name = _listed_name(spelling, code, lower="_" in spelling)
        yield replace(name, is_actor=True, max_ending=max(name.max_ending, max_ending))


def actor_names(*keys: str) -> Iterator[tuple[str, str]]:
    """Yield (country code, spelling) of each person and office that acts for a country, under `keys` of the table."""
    for key in keys:
        for code, spellings in load_data("names")["actors"].get(key, {}).items():
            yield from ((code, spelling) for spelling in spellings.split())


def _listed_name(spelling: str, code: str, *, lower: bool) -> PlaceName:
    """Return a name as `names.toml` lists it: its words are joined by "_", and "*" stands for any ending."""
    tokens = tuple(fold(part) for part in spelling.rstrip("*").split("_"))
    return PlaceName(tokens, code, max_ending=MAX_STAR_ENDING if spelling.endswith("*") else 0, lower=lower)


def normalize(word: str) -> str:
    """Return a folded word without an elided article or an ending after an apostrophe: "l'Ukraine", "Türkiye'de"."""
    folded = fold(word)
    if not APOSTROPHE.search(folded):
        return folded
    folded = ELISION.sub("", folded)
    stem, mark, _ = folded.partition("'") if "'" in folded else folded.partition("’")
    return stem if mark and len(stem) >= KEY_LETTERS else POSSESSIVE.sub("", folded)


def _cldr_names(language: str) -> Iterator[PlaceName]:
    """Yield CLDR's names, cut to stems in inflected languages."""
    for locale in find_locales(language):
        for code in COUNTRY_CODES:
            full = str(locale.territories.get(code, ""))
            # "Hong Kong (SAR of China)": the text in brackets is not a name of it.
            others = [] if code in ("HK", "MO") else re.findall(r"[(（]([^()（）]+)[)）]", full)
            for spelling in (strip_brackets(full), *others):
                tokens = tuple(normalize(word) for word in words(spelling))
                if 1 <= len(tokens) <= 4:
                    yield _inflected_name(tokens, code, language)


def _inflected_name(tokens: tuple[str, ...], code: str, language: str) -> PlaceName:
    """Return a country's name, split into words, with how many letters an inflected form may add at its end."""
    has_adjectives = len(tokens) == 1 and language in load_data("grammar")["derived"]
    if language in languages_in("uninflected"):
        return PlaceName(tokens, code, has_adjectives=has_adjectives)
    if all(len(token) <= SHORT_NAME for token in tokens):
        return PlaceName(tokens, code, max_ending=1, has_adjectives=has_adjectives)
    if language not in languages_in("agglutinative"):
        # Inflection changes the last vowel of a long word: "нигери", not "нигер".
        tokens = tuple(token[:-1] if token[-1] in VOWELS and len(token) > SHORT_NAME else token for token in tokens)
    if len(tokens[-1]) == SHORT_NAME and tokens[-1][-1] in VOWELS:  # "dani" of Dania: Danii, but not Daniela
        return PlaceName(tokens, code, max_ending=1 if tokens[-1].isascii() else 2, has_adjectives=has_adjectives)
    return PlaceName(tokens, code, max_ending=MAX_ENDING, has_adjectives=has_adjectives)


def _adjectives(language: str) -> Iterator[PlaceName]:
    """Yield the adjectives of countries, derived from CLDR's names of languages, and the demonyms from these."""
    if language in languages_in("no_adjectives"):
        return
    is_fixed, is_slavic = language in languages_in("fixed_adjectives"), language in languages_in("slavic")
    for locale in find_locales(language):
        for tag, code in load_data("grammar")["country_of_language"].items():
            adjectives = words(str(locale.languages.get(tag, "")))
            stem = _adjective_stem(fold(adjectives[0]), language) if adjectives else ""
            if stem:
                ending = 0 if is_fixed else 5 if len(stem) >= LONG_STEM else 3
                yield PlaceName((stem,), code, max_ending=ending, lower=True)
                if people := _demonym_stem(stem, language):
                    yield PlaceName((people,), code, max_ending=3, lower=is_slavic)


def _adjective_stem(adjective: str, language: str) -> str:
    """Return the stem of a country's adjective, case-folded, in a language; "" if too short to be recognised."""
    if language in languages_in("fixed_adjectives"):
        return adjective if len(adjective) >= MIN_STEM else ""
    stem = ARABIC_ARTICLE.sub("", adjective) if language == "ar" else adjective
    for end, replacement in load_data("grammar")["adjective_ends"].get(language, ()):
        if stem.endswith(end):
            stem = stem[: len(stem) - len(end)] + replacement
            break
    else:
        stem = FINAL_VOWEL.sub("", stem)
    return stem if len(stem) >= MIN_STEM else ""


def _demonym_stem(stem: str, language: str) -> str:
    """Return the stem of the demonym for an adjective's stem: "француз", "γαλλ"; "" if they do not share one."""
    ends = load_data("grammar")["demonym_ends"]
    end = ends.get(language, ends["slavic"] if language in languages_in("slavic") else "")
    least = MIN_STEM if language == "el" else LONG_STEM
    return stem[: -len(end)] if end and stem.endswith(end) and len(stem) - len(end) >= least else ""


def is_derived(word: str, stem: str, language: str) -> bool:
    """Whether a folded word is an adjective or a demonym of a country's stem."""
    pattern = load_data("grammar")["derived"].get(language)
    if pattern is None:
        return False
    stems = [stem]
    if language in languages_in("slavic"):
        softened = load_data("grammar")["softened"]
        if stem[-1] in softened:
            stems.append(stem[:-1] + softened[stem[-1]])
        if len(stem) > LONG_STEM and FINAL_VOWEL.search(stem):
            stems.append(stem[:-1])  # Швейцария, швейцарский
    return any(word.startswith(stem) and bool(re.fullmatch(pattern, word[len(stem) :])) for stem in stems)


def find_cities(folded: str, key: str, *, inflected: bool) -> list[PlaceName]:
    """Return the cities that a folded word with the prefix `key` may name; Latin names have endings if `inflected`."""
    cities = cities_by_prefix().get(key, ())
    return [
        _city_name(tokens, code, inflected=inflected)
        for beginning, tokens, code in cities
        if folded.startswith(beginning)
    ]


@cache
def cities_by_prefix() -> dict[str, list[tuple[str, tuple[str, ...], str]]]:
    """
    Return (beginning, folded words, country code) of each city, by the prefix of its name; takes 90 ms once.

    The beginning is the first word without its last letter, which may be a vowel that changes.
    """
    cities: dict[str, list[tuple[str, tuple[str, ...], str]]] = defaultdict(list)
    for code, names in city_rows():
        for spelling in names:
            tokens = tuple(map(normalize, words(spelling)))
            if tokens and (spelling.isascii() or not is_unspaced(spelling)):
                cities[tokens[0][:KEY_LETTERS]].append((tokens[0][:-1], tokens, code))
    return cities


def _city_name(tokens: tuple[str, ...], code: str, *, inflected: bool) -> PlaceName:
    """Return a city's name, split into words, with how many letters an inflected form may add at its end."""
    last = tokens[-1]
    ending = 2 if INDIAN.match(last) else MAX_CITY_ENDING
    if UNCHANGING.match(last) or (last.isascii() and not inflected):
        ending = 0
    elif last[-1] in VOWELS and len(last) > CITY_STEM:
        tokens, ending = (*tokens[:-1], last[:-1]), MAX_CITY_ENDING
    elif len(last) < (CITY_STEM if last.isascii() else SHORT_NAME):
        ending = 0
    return PlaceName(tokens, code, is_city=True, max_ending=ending)


def city_rows() -> Iterator[tuple[str, list[str]]]:
    """Yield (country code, names of its cities)."""
    text = files("digests.analysis").joinpath("cities.tsv").read_text(encoding="utf-8")
    for line in text.splitlines()[1:]:  # the first line names the source
        code, _, names = line.partition("\t")
        yield code, names.split("|")
    for code, names in load_data("names")["cities"].items():
        yield code, [name.replace("_", " ") for name in names.split()]
