"""Country and language codes, from Unicode's tables: ISO 3166-1 alpha-2 (with their alpha-3) and ISO 639-1."""

from __future__ import annotations

import re

from babel.core import get_global

# What Unicode's tables hold besides: exceptional reservations and "unknown"; codes that ISO has withdrawn.
NOT_COUNTRIES = frozenset(("AC", "CP", "CQ", "DG", "EA", "IC", "TA", "ZZ"))
WITHDRAWN_COUNTRIES = frozenset(("BUR", "DDR", "FXX", "TMP", "YMD", "ZAR"))
WITHDRAWN_LANGUAGES = frozenset(("bh", "in", "iw", "ji", "jw", "mo"))
COUNTRIES = frozenset(get_global("territory_languages")) - NOT_COUNTRIES
ALPHA3 = {
    alias: codes[0]
    for alias, codes in get_global("territory_aliases").items()
    if alias.isalpha()
    and len(alias) == 3
    and len(codes) == 1
    and codes[0] in COUNTRIES
    and alias not in WITHDRAWN_COUNTRIES
}
LANGUAGES = (
    frozenset(tag for tag in (*get_global("likely_subtags"), *get_global("language_aliases")) if len(tag) == 2)
    - WITHDRAWN_LANGUAGES
)
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


def country(text: str) -> str | None:
    """
    Return the ISO 3166-1 alpha-2 code that `text` means, or None.

    Any case, alpha-3 codes and the two exceptional reservations people write ("UK", "EL") are understood.
    """
    code = text.strip().upper()
    code = COUNTRY_ALIASES.get(code, code)
    return code if code in COUNTRIES else ALPHA3.get(code)


def language(text: str) -> str | None:
    """Return the language tag that `text` means, its primary part in lower case ("pt-BR"), or None if it is none."""
    match = TAG.fullmatch(text.strip())
    if not match:
        return None
    primary = match[1].lower()
    if len(primary) == 2 and primary not in LANGUAGES:
        return None
    return primary + match[2].replace("_", "-")
