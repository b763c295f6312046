"""Regions of the world as a newspaper parts it, and the names of countries and regions in a reader's language."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from watcher.text.words import ARABIC_ARTICLE, ASCII_WORD, ELISION, POSSESSIVE, fold, is_unspaced, words

if TYPE_CHECKING:
    from babel import Locale

REGIONS = ("africa", "americas", "asia-pacific", "europe", "middle-east", "world")
CLDR_REGIONS = {"africa": "002", "americas": "019", "europe": "150", "middle-east": "145", "world": "001"}
ASIA, OCEANIA = "142", "009"


def region_of(country: str | None) -> str:
    """Return the key of a country's region; "world" for None and for places that are of no region."""
    return _region_of().get(country or "", "world")


def country_codes() -> tuple[str, ...]:
    """Return the codes of all states, and of places that the news treats like one, sorted."""
    return tuple(sorted(_region_of()))


def region_title(region: str, language: str) -> str:
    """Return the name of a region for a heading in `language`, English where that language is not known."""
    territories = _locale(language).territories
    primary = _primary(language)
    if region == "asia-pacific":
        return "Asia–Pacific" if primary == "en" else f"{territories[ASIA]}–{territories[OCEANIA]}"
    if region == "middle-east" and primary in _tables()["middle_east"]:
        return str(_tables()["middle_east"][primary])
    name = str(territories[CLDR_REGIONS.get(region, CLDR_REGIONS["world"])])
    return name[:1].upper() + name[1:]


def country_name(code: str, language: str) -> str:
    """Return a country's usual short name in `language`; the code itself if it is no country's."""
    short = _tables()["short"].get(_primary(language), {})
    return str(short.get(code) or strip_brackets(str(_locale(language).territories.get(code, code))))


def strip_brackets(name: str) -> str:
    """Return a name without the other name that CLDR gives in brackets: "Myanmar (Burma)"."""
    return name.split("(")[0].split("（")[0].strip()


@cache
def _region_of() -> dict[str, str]:
    return {code: region for region, codes in _tables()["members"].items() for code in codes.split()}


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files("digests.analysis").joinpath("regions.toml").read_text(encoding="utf-8"))


@cache
def _locale(language: str) -> Locale:
    from babel import Locale, UnknownLocaleError

    for tag in (language, _primary(language)):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def _primary(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].lower()


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
class PlaceName:
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


def load_place_names(language: str) -> Iterator[PlaceName]:
    """Yield the names of a language, those of cities apart."""
    yield from _phrases(language)
    yield from _countries(language)
    yield from _adjectives(language)
    yield from _forms(language)
    yield from _stems()


def normalize(word: str) -> str:
    """Return a word folded, without an article before or an ending behind its apostrophe: "l'Ukraine", "Türkiye'de"."""
    folded = fold(word)
    if not APOSTROPHE.search(folded):
        return folded
    folded = ELISION.sub("", folded)
    stem, mark, _ = folded.partition("'") if "'" in folded else folded.partition("’")
    return stem if mark and len(stem) >= KEY else POSSESSIVE.sub("", folded)


def _countries(language: str) -> Iterator[PlaceName]:
    """Yield CLDR's names, cut to stems where words are inflected."""
    for locale in find_locales(language):
        for code in country_codes():
            full = str(locale.territories.get(code, ""))
            others = re.findall(r"[(（]([^()（）]+)[)）]", full)
            for spelling in (strip_brackets(full), *others):
                tokens = tuple(normalize(word) for word in words(spelling))
                if tokens and not (code in ("HK", "MO") and spelling != strip_brackets(full)) and len(tokens) <= 4:
                    yield _inflected(tokens, code, language)


def _inflected(tokens: tuple[str, ...], code: str, language: str) -> PlaceName:
    derives = len(tokens) == 1 and language in DERIVED
    if language in UNINFLECTED:
        return PlaceName(tokens, code, derives=derives)
    if all(len(token) <= SHORT for token in tokens):
        return PlaceName(tokens, code, ending=1, derives=derives)
    cut = tokens if language in AGGLUTINATIVE else tuple(map(strip_last_vowel, tokens))
    if len(cut[-1]) == SHORT and cut[-1][-1] in VOWELS:  # "dani" of Dania: Danii, but not Daniela
        return PlaceName(cut, code, ending=1 if cut[-1].isascii() else 2, derives=derives)
    return PlaceName(cut, code, ending=INFLECTION, derives=derives)


def strip_last_vowel(token: str) -> str:
    """Return a word without its last vowel, which changes with the case, if enough is left: "нигери", not "нигер"."""
    return token[:-1] if token[-1] in VOWELS and len(token) > SHORT else token


def _adjectives(language: str) -> Iterator[PlaceName]:
    for stem_, code, ending, lower in adjectives(language):
        yield PlaceName((stem_,), code, ending=ending, lower=lower)


def _forms(language: str) -> Iterator[PlaceName]:
    for table in (load_tables()["forms"], load_tables()["own"].get(language, {})):
        for code, spellings in table.items():
            yield from (_name(spelling, code, lower=True) for spelling in spellings.split())


def _stems() -> Iterator[PlaceName]:
    for code, spellings in load_tables()["stems"].items():
        yield from (_name(spelling, code, lower=True) for spelling in spellings.split())


def _phrases(language: str) -> Iterator[PlaceName]:
    for spelling in str(load_tables()["not_places"].get(language, "")).split():
        yield _name(spelling, "")


def _name(spelling: str, code: str, *, is_city: bool = False, lower: bool = False) -> PlaceName:
    plain = tuple(fold(part) for part in spelling.rstrip("*").split("_"))
    return PlaceName(plain, code, is_city=is_city, ending=ENDING if spelling.endswith("*") else 0, lower=lower)


def find_cities(folded: str, key: str, *, inflected: bool) -> Iterator[PlaceName]:
    """
    Yield those of the cities of all languages whose names begin with `key` and then as a folded word does.

    Args:
        inflected: Latin names too take endings ("w Warszawie").
    """
    for tokens, code in cities_by_prefix(key[:1]).get(key, ()):
        if folded.startswith(tokens[0][:-1]):  # the last letter may be a vowel that changes
            yield _city(tokens, code, inflected=inflected)


@cache
def cities_by_prefix(letter: str) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Return the folded words and the country of each city of a folded first letter, by the beginning of its name."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for spelling, code in cities_by_letter().get(letter, ()):
        tokens = tuple(
            ASCII_WORD.findall(spelling.lower()) if is_ascii_lower(spelling) else map(normalize, words(spelling))
        )
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
        return "".join(map(normalize, words(spelling)))[:1]
    return spelling[0].lower() if spelling[0].isascii() and spelling[1:2].isascii() else folded(spelling[:2])[:1]


def is_ascii_lower(spelling: str) -> bool:
    """Whether nothing of a name has to be folded but its case."""
    return spelling.isascii() and "'" not in spelling and '"' not in spelling


folded = lru_cache(1 << 12)(fold)


def _city(tokens: tuple[str, ...], code: str, *, inflected: bool) -> PlaceName:
    last = tokens[-1]
    if UNCHANGING.match(last) or (last.isascii() and not inflected):
        return PlaceName(tokens, code, is_city=True)
    if last[-1] in VOWELS and len(last) > CITY_STEM:
        return PlaceName((*tokens[:-1], last[:-1]), code, is_city=True, ending=CITY_ENDING)
    if len(last) < (CITY_STEM if last.isascii() else SHORT):
        return PlaceName(tokens, code, is_city=True)
    return PlaceName(tokens, code, is_city=True, ending=2 if INDIAN.match(last) else CITY_ENDING)


def city_rows() -> Iterator[tuple[str, list[str]]]:
    """Yield each country's cities."""
    text = files("digests.analysis").joinpath("cities.tsv").read_text(encoding="utf-8")
    for line in text.splitlines()[1:]:  # the first one says where they are from
        code, _, names = line.partition("\t")
        yield code, names.split("|")
    for code, names in load_tables()["cities"].items():
        yield code, [name.replace("_", " ") for name in names.split()]


@cache
def load_tables() -> dict[str, Any]:
    """Return what `names.toml` says."""
    return tomllib.loads(files("digests.analysis").joinpath("names.toml").read_text(encoding="utf-8"))


def find_locales(language: str) -> list[Any]:
    """Return what CLDR knows of a language, in each of its scripts; English where it knows nothing."""
    from babel import Locale, UnknownLocaleError

    found = []
    for tag in (language, *({"zh": ("zh_Hant",), "sr": ("sr_Latn",)}.get(language, ()))):
        try:
            found.append(Locale.parse(tag))
        except (UnknownLocaleError, ValueError):
            continue
    return found or [Locale("en")]


# Languages that are spoken in one country above all, so that their name is its adjective too.
COUNTRY_OF = dict(
    pair.split(":")
    for pair in """
    fr:FR de:DE es:ES it:IT pt:PT nl:NL da:DK sv:SE nb:NO no:NO fi:FI is:IS et:EE lv:LV lt:LT pl:PL cs:CZ sk:SK hu:HU
    ro:RO bg:BG sr:RS hr:HR bs:BA sl:SI mk:MK sq:AL el:GR tr:TR ru:RU uk:UA be:BY ka:GE hy:AM az:AZ kk:KZ ky:KG uz:UZ
    tk:TM tg:TJ ja:JP ko:KR zh:CN vi:VN th:TH id:ID my:MM km:KH lo:LA mn:MN ne:NP so:SO mt:MT lb:LU ga:IE
    """.split()
)
LEAST = 4  # letters of a stem
LONG = 5  # letters of a stem that takes any usual ending
SLAVIC = frozenset({"ru", "uk", "be", "bg", "sr", "mk", "hr", "bs", "sl", "pl", "cs", "sk"})
AS_THEY_ARE = frozenset({"et"})  # adjectives that do not change
NOT_SO = frozenset({"vi", "th", "zh", "ja", "ko", "yue", "lo", "km", "my"})  # as the country's, or names of speech only
# What stands at the end of a language's name and not of the adjective, and what stands there instead. Folded.
ENDS = {
    "cs": (("ctina", "ck"), ("stina", "sk"), ("cina", "")),
    "sk": (("ctina", "ck"), ("stina", "sk"), ("cina", "")),
    "sl": (("scina", "sk"),),
    "tr": (("ca", ""), ("ce", "")),
    "uz": (("cha", ""),),
    "hy": (("երեն", ""),),
    "sq": (("isht", ""),),
    "ar": (("يه", "ي"),),
    "he": (("ית", "י"),),
    "fi": (("", "lai"),),
    "ru": (("ий", ""),),
    "be": (("ая", ""),),
}
VOWEL = re.compile(r"[aeiouyаеиоуыэюяіїєαეიოუ]$")
# What may stand behind a country's stem in its adjective and in the name of its people.
DERIVED = {
    **dict.fromkeys(
        ("ru", "be"), re.compile(r"\w{0,4}(?:ск|цк)\w{0,4}|[ий]?[йь]?(?:а?н)?ц(?:ы|ев|ам|ами|ах)|ь?[тч][яа]н\w{0,3}")
    ),
    "uk": re.compile(r"\w{0,4}(?:ськ|цьк)\w{0,4}|[ий]?(?:а?н)?ц(?:і|ів|ям|ями|ях)"),
    **dict.fromkeys(("bg", "mk"), re.compile(r"\w{0,3}ск\w{0,4}|\w{0,2}ц(?:и|ите)")),
    "sr": re.compile(
        r"\w{0,4}(?:ск|sk|шк)\w{0,3}|(?:k|к)(?:i|a|o|e|u|og|om|oj|im|ih|и|а|о|е|у|ог|ом|ој|им|их)|\w{0,3}(?:анц|anc|ц|c)(?:и|а|i|a|ima|има)"
    ),
    **dict.fromkeys(
        ("hr", "bs", "sl"),
        re.compile(r"\w{0,4}sk\w{0,3}|k(?:i|a|o|e|u|og|om|oj|im|ih|ima|emu|ega)|(?:an)?c(?:i|a|ima|ev|em)"),
    ),
    **dict.fromkeys(
        ("cs", "sk"),
        re.compile(r"\w{0,3}(?:[sc]?k|[sc]?t)(?:y|a|e|i|eho|emu|ych|ym|ymi|ou|ej)|(?:c|an|can)(?:i|e|u|ov|ia)"),
    ),
    "pl": re.compile(r"\w{0,2}s[kc]\w{0,4}|\w{0,2}(?:czy[ck]|an)\w{0,4}"),
    "hu": re.compile(r"i(?:ak|akat|aknak|t|nak|val)?"),
    "fi": re.compile(r"\w{0,2}lai\w{0,7}"),
    "et": re.compile(r"\w{0,2}la(?:n|s)\w{0,5}"),
    "lt": re.compile(r"\w{0,2}ie(?:t|c)\w{0,5}"),
    "en": re.compile("(?:n|an|ian)s?|ese"),
    "de": re.compile(r"\w{0,4}isch(?:e[mnrs]?)?|er(?:n|in|innen|s)?"),
    "nl": re.compile("(?:i?aan)?se?"),
    **dict.fromkeys(("sv", "da", "nb", "no"), re.compile(r"\w{0,4}sk[aet]?")),
    "ar": re.compile("ي(?:ه|ون|ين|ات|تين)?"),
    **dict.fromkeys(("fa", "ur"), re.compile("ي(?:ها|ان|ون)?")),
    "he": re.compile("י(?:ת|ם|ים|ות)?"),
    "tr": re.compile(r"l[iıu]\w{0,5}"),
    "lv": re.compile(r"\w{0,2}ie(?:t|s)\w{0,4}"),
}
SOFTENED = {"k": "c", "к": "ч"}  # the end of a stem before an adjective's: Mexiko, mexický


def is_derived(word: str, stem: str, language: str) -> bool:
    """Whether a folded word is an adjective or a people made of a country's stem."""
    pattern = DERIVED.get(language)
    if pattern is None:
        return False
    stems = [stem]
    if language in SLAVIC and stem[-1] in SOFTENED:
        stems.append(stem[:-1] + SOFTENED[stem[-1]])
    if language in SLAVIC and len(stem) > LONG and VOWEL.search(stem):
        stems.append(stem[:-1])  # Швейцария, швейцарский
    return any(word.startswith(each) and bool(pattern.fullmatch(word, len(each))) for each in stems)


def adjectives(language: str) -> Iterator[tuple[str, str, int, bool]]:
    """Yield (stem, country, letters that may stand behind it, whether it may be small) by CLDR's names of languages."""

    if language in NOT_SO:
        return
    for locale in find_locales(language):
        for tag, code in COUNTRY_OF.items():
            found = words(str(locale.languages.get(tag, "")))
            if found and (stem := adjective_stem(fold(found[0]), language)):
                ending = 0 if language in AS_THEY_ARE else 5 if len(stem) >= LONG else 3
                yield stem, code, ending, True
                people = demonym_stem(stem, language)
                if people:
                    yield people, code, 3, language in SLAVIC


def adjective_stem(name: str, language: str) -> str:
    """Return the adjective's stem in the folded name of a language; empty if too little is left to know it by."""
    if language in AS_THEY_ARE:
        return name if len(name) >= LEAST else ""
    stem = ARABIC_ARTICLE.sub("", name) if language == "ar" else name
    for end, instead in ENDS.get(language, ()):
        if stem.endswith(end):
            stem = stem[: len(stem) - len(end)] + instead
            break
    else:
        stem = VOWEL.sub("", stem)
    return stem if len(stem) >= LEAST else ""


def demonym_stem(stem: str, language: str) -> str:
    """Return the stem of a people in that of its adjective: "француз", "γαλλ"; empty if it is another word."""
    end = {"el": "ικ", "ru": "ск", "uk": "ськ", "be": "ск"}.get(language, "sk" if language in SLAVIC else "")
    least = LEAST if language == "el" else LONG
    return stem[: -len(end)] if end and stem.endswith(end) and len(stem) - len(end) >= least else ""
