"""One hop of a fetch: the place that is asked, and the head of what it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Who is asked: scheme, host and port of a URL, and `name`, how the Host header spells it."""

    scheme: str
    host: str
    port: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """The head of one answer, and its raw body to come."""

    status: int
    headers: tuple[tuple[str, str], ...]  # names in lower case
    raw: AsyncIterator[bytes]

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        return next((value for key, value in self.headers if key == name), None)
