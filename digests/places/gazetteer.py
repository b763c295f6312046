"""Names of countries and of cities in them, found in a text of any language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from digests.places.regions import bare, country_codes
from watcher.text.words import fold, words


@dataclass(frozen=True, slots=True)
class Found:
    """
    A country named in a text. `needs_company`: the name has another meaning, and something else must name the country
    too.
    """

    code: str
    is_city: bool = False
    needs_company: bool = False


class Gazetteer:
    """Names in one language."""

    def __init__(self, names: dict[tuple[str, ...], str]) -> None:
        self._names = names
        self._longest = max(map(len, names), default=1)

    def find(self, text: str) -> list[Found]:
        """Return what `text` names, in order."""
        tokens = [fold(word) for word in words(text)]
        found: list[Found] = []
        at = 0
        while at < len(tokens):
            for length in range(self._longest, 0, -1):
                code = self._names.get(tuple(tokens[at : at + length]))
                if code:
                    found.append(Found(code))
                    at += length
                    break
            else:
                at += 1
        return found


@cache
def gazetteer(language: str) -> Gazetteer:
    """Return the names in `language`; built at first use."""
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    names = {}
    for code in country_codes():
        name = bare(str(locale.territories.get(code, "")))
        if name:
            names[tuple(fold(word) for word in words(name))] = code
    return Gazetteer(names)
