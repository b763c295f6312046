"""The table of news outlets that comes with the package: country, language and owner of an outlet, by its host."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from watcher.model import Source
from watcher.text.urls import outlet_host


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOutlet:
    """One row of the table. What no source says is empty."""

    host: str
    country: str  # ISO 3166-1
    language: str  # the main one
    owner: str
    owner_kind: str  # "public", "state" or "private"


@cache
def load_outlets() -> Mapping[str, KnownOutlet]:
    """Return the rows of outlets.tsv by host. bench/outlets.py writes that file."""
    lines = (files("watcher.settings") / "outlets.tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {
        host: KnownOutlet(host=host, country=country, language=language, owner=owner, owner_kind=kind)
        for host, country, language, owner, kind, _ in rows
    }


def find_outlet(host: str) -> KnownOutlet | None:
    """Return the outlet of a host, or of the nearest domain above it ("bbc.co.uk" for "news.bbc.co.uk")."""
    known = load_outlets()
    while host and host not in known:
        host = host.partition(".")[2]
    return known.get(host)


def complete_source(source: Source) -> Source:
    """
    Return a source with the country and owner that the table has for its host, where the settings say nothing.

    The kind of owner is taken only together with the owner that the table names. The language is never taken: many
    outlets have feeds in several languages, and the language of each text is detected.
    """
    outlet = find_outlet(outlet_host(source.url))
    if outlet is None:
        return source
    knows_owner = source.owner is None or source.owner == outlet.owner
    return replace(
        source,
        country=outlet.country if source.country is None else source.country,
        owner=outlet.owner or None if source.owner is None else source.owner,
        owner_kind=outlet.owner_kind or None if source.owner_kind is None and knows_owner else source.owner_kind,
    )
