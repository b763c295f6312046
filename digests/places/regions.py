"""Regions of the world as a newspaper parts it, and the names of countries and regions in a reader's language."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

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
    return str(short.get(code) or bare(str(_locale(language).territories.get(code, code))))


def bare(name: str) -> str:
    """Return a name without the other name that CLDR gives in brackets: "Myanmar (Burma)"."""
    return name.split("(")[0].split("（")[0].strip()


@cache
def _region_of() -> dict[str, str]:
    return {code: region for region, codes in _tables()["members"].items() for code in codes.split()}


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files("digests.places").joinpath("regions.toml").read_text(encoding="utf-8"))


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
