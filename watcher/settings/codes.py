"""Country and language codes, from Unicode's tables: ISO 3166-1 alpha-2 (with their alpha-3) and ISO 639-1."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

# What Unicode's tables hold besides: exceptional reservations and "unknown"; codes that ISO has withdrawn.
NOT_COUNTRIES = frozenset(("AC", "CP", "CQ", "DG", "EA", "IC", "TA", "ZZ"))
WITHDRAWN_COUNTRIES = frozenset(("BUR", "DDR", "FXX", "TMP", "YMD", "ZAR"))
WITHDRAWN_LANGUAGES = frozenset(("bh", "in", "iw", "ji", "jw", "mo"))
OFTEN_MEANT = {
    "jp": "ja",
    "cz": "cs",
    "gr": "el",
    "dk": "da",
    "ua": "uk",
    "cn": "zh",
    "in": "hi",
    "iw": "he",
    "al": "sq",
}
COUNTRY_ALIASES = {"UK": "GB", "EL": "GR"}
TAG = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{2,8}){0,4})")


@cache
def unicode_table(name: str) -> dict[str, Any]:
    """Return one of Unicode's tables."""
    from babel.core import get_global  # late: 24 ms and 5 MB that settings without a code need not pay

    return dict(get_global(name))  # type: ignore[arg-type]


@cache
def countries() -> frozenset[str]:
    """Return the alpha-2 codes of all countries."""
    return frozenset(unicode_table("territory_languages")) - NOT_COUNTRIES


@cache
def alpha3_codes() -> dict[str, str]:
    """Return the alpha-2 code of each alpha-3 code."""
    return {
        alias: codes[0]
        for alias, codes in unicode_table("territory_aliases").items()
        if alias.isalpha()
        and len(alias) == 3
        and len(codes) == 1
        and codes[0] in countries()
        and alias not in WITHDRAWN_COUNTRIES
    }


@cache
def languages() -> frozenset[str]:
    """Return the codes of all languages that have one of two letters."""
    tags = (*unicode_table("likely_subtags"), *unicode_table("language_aliases"))
    return frozenset(tag for tag in tags if len(tag) == 2) - WITHDRAWN_LANGUAGES


def country(text: str) -> str | None:
    """
    Return the ISO 3166-1 alpha-2 code that `text` means, or None.

    Any case, alpha-3 codes and the two exceptional reservations people write ("UK", "EL") are understood.
    """
    code = text.strip().upper()
    code = COUNTRY_ALIASES.get(code, code)
    return code if code in countries() else alpha3_codes().get(code)


def language(text: str) -> str | None:
    """Return the language tag that `text` means, its primary part in lower case ("pt-BR"), or None if it is none."""
    match = TAG.fullmatch(text.strip())
    if not match:
        return None
    primary = match[1].lower()
    if len(primary) == 2 and primary not in languages():
        return None
    return primary + match[2].replace("_", "-")
