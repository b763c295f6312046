"""What a site's file may say: hosts, a reason, what to drop, where the text and the date stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cssselect import HTMLTranslator, SelectorError
from lxml.etree import Element, XPath, XPathError

from watcher.errors import Problem, SettingsError
from watcher.settings.syntax import read

KEYS = ("hosts", "reason", "drop", "body", "date")
RULES = ("drop", "body", "date")
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+")
MAX_SELECTORS = 50
MAX_SELECTOR_CHARS = 300
CSS = HTMLTranslator()

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """The rules of one site. Selectors are XPath, made from the CSS of the file; empty where it says nothing."""

    hosts: tuple[str, ...]
    reason: str
    drop: tuple[str, ...] = ()
    body: str = ""
    date: str = ""


def parse_rules(text: str, *, path: str) -> SiteRules:
    """
    Return the rules that a site's file holds.

    Args:
        path: What the file is called in a fault.

    Errors: SettingsError with every fault of the file, each with its line.
    """
    raw = read(text)
    if raw.faults:
        raise SettingsError(tuple(_problem(path, (at.line, at.column), at.key, at.message) for at in raw.faults))
    found = tuple(_faults(raw.data))
    if found:
        from watcher.settings.positions import Positions

        places = Positions(raw.sound)
        raise SettingsError(
            tuple(_problem(path, places.value(loc), str(loc[0]) if loc else "file", message) for loc, message in found)
        )
    data = raw.data
    return SiteRules(
        hosts=tuple(_texts(data["hosts"])),
        reason=str(data["reason"]).strip(),
        drop=tuple(xpath_of(selector) for selector in _texts(data.get("drop", []))),
        body=xpath_of(str(data["body"])) if "body" in data else "",
        date=xpath_of(str(data["date"])) if "date" in data else "",
    )


def _problem(path: str, place: tuple[int, int], key: str, message: str) -> Problem:
    return Problem(path=path, line=place[0], column=place[1], key=key, message=message)


def _faults(data: Mapping[str, object]) -> Iterator[tuple[Loc, str]]:
    """Yield each fault of a file's values, with where it stands."""
    for key in sorted(set(data) - set(KEYS)):
        from watcher.settings.values import hint

        yield (key,), f"is no rule; expected one of {', '.join(KEYS)}{hint(key, KEYS)}"
    hosts = data.get("hosts")
    if not isinstance(hosts, list) or not hosts:
        yield ("hosts",), 'expected a list of hosts, as ["news.example"]'
    else:
        for at, host in enumerate(hosts):
            if not isinstance(host, str) or not HOST.fullmatch(host):
                yield ("hosts", at), f'got {host!r}, expected a host in small letters, as "news.example"'
    reason = data.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        yield ("reason",), "expected a sentence that says why the site needs rules of its own"
    if not any(key in data for key in RULES):
        yield (), f"says nothing to do; expected one of {', '.join(RULES)}"
    drop = data.get("drop", [])
    if not isinstance(drop, list) or len(drop) > MAX_SELECTORS:
        yield ("drop",), f'expected a list of at most {MAX_SELECTORS} selectors, as [".box"]'
    else:
        yield from (fault for at, value in enumerate(drop) if (fault := _selector_fault(("drop", at), value)))
    for key in ("body", "date"):
        if key in data and (fault := _selector_fault((key,), data[key])):
            yield fault


def _selector_fault(loc: Loc, value: object) -> tuple[Loc, str] | None:
    if not isinstance(value, str):
        return loc, f"got {value!r}, expected a CSS selector"
    try:
        xpath_of(value)
    except ValueError as error:
        return loc, f"the selector {error}"
    return None


def _texts(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []


def xpath_of(selector: str) -> str:
    """
    Return the XPath, for a search from the root, of what a CSS selector matches.

    Errors: ValueError, with what is wrong in the selector and where.
    """
    if not selector.strip():
        raise ValueError("is empty")
    if len(selector) > MAX_SELECTOR_CHARS:
        raise ValueError(f"is longer than {MAX_SELECTOR_CHARS} characters")
    try:
        path: str = CSS.css_to_xpath(selector)
        XPath(path)(Element("html"))  # a name with a prefix, for one, is CSS but cannot be looked for
    except (SelectorError, XPathError) as error:
        raise ValueError(f'"{selector}" cannot be read: {error}') from error
    return path
