"""What a format's reader hands on: the fields of a feed as they stood, before identity, links and dates are judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RawText:
    """A text and whether it is markup."""

    value: str = ""
    is_html: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """One item as it stood. Links may be relative; dates are tried in their order."""

    guid: str = ""
    links: tuple[str, ...] = ()  # best first
    title: RawText = RawText()
    summary: RawText = RawText()
    content: RawText = RawText()
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFeed:
    """A feed as it stood. `base` is what its entries' relative links resolve by, if it names one."""

    title: RawText = RawText()
    link: str = ""
    base: str = ""
    language: str = ""
    hub: str = ""
    ttl_s: float | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()
    entries: tuple[RawEntry, ...] = ()
    faults: tuple[str, ...] = ()
