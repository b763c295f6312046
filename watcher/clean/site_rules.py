"""Site rules in TOML: CSS selectors for elements to drop, for the text and for the date. Most sites need no rules."""

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from lxml.etree import _Element
from lxml.html import HtmlElement, fromstring

from watcher.errors import Problem, SettingsError
from watcher.model import RemovedBlock
from watcher.settings.toml_syntax import Positions, parse_with_recovery
from watcher.text.css import xpath_of
from watcher.text.dates import parse_date
from watcher.text.format import did_you_mean

KEYS = ("hosts", "reason", "drop", "body", "date")
RULE_KEYS = ("drop", "body", "date")
HOST = re.compile(r"^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+")
MAX_SELECTORS = 50

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """The rules of one site. Selectors are XPath, converted from the CSS in the file; empty if not given."""

    hosts: tuple[str, ...]
    reason: str
    drop: tuple[str, ...] = ()
    body: str = ""
    date: str = ""


def _parse_rules(text: str, *, path: str) -> SiteRules:
    """Parse the rules of one site. Errors: SettingsError with all faults of the file (named `path`) and their lines."""
    raw = parse_with_recovery(text, path)
    if raw.faults:
        raise SettingsError(raw.faults)
    data: dict[str, Any] = raw.data
    if faults := tuple(_faults(data)):
        places = Positions(raw.sound)
        raise SettingsError(
            tuple(_problem(path, message, str(loc[0]) if loc else "file", places.value(loc)) for loc, message in faults)
        )
    return SiteRules(
        hosts=tuple(data["hosts"]),
        reason=data["reason"].strip(),
        drop=tuple(map(xpath_of, data.get("drop", ()))),
        **{key: xpath_of(data[key]) for key in ("body", "date") if key in data},
    )


def _problem(path: str, message: str, key: str = "file", place: tuple[int, int] = (1, 1)) -> Problem:
    return Problem(path=path, line=place[0], column=place[1], key=key, message=message)


def _faults(data: Mapping[str, object]) -> Iterator[tuple[Loc, str]]:
    """Yield location and message of each fault in the values of a file."""
    for key in sorted(set(data) - set(KEYS)):
        yield (key,), f"is not a rule; expected one of {', '.join(KEYS)}{did_you_mean(key, KEYS)}"
    hosts = data.get("hosts")
    if not isinstance(hosts, list) or not hosts:
        yield ("hosts",), 'expected a list of hosts, as ["news.example"]'
    else:
        for index, host in enumerate(hosts):
            if not isinstance(host, str) or not HOST.fullmatch(host):
                yield ("hosts", index), f'got {host!r}, expected a host in small letters, as "news.example"'
    reason = data.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        yield ("reason",), "expected a sentence that says why the site needs its own rules"
    if not any(key in data for key in RULE_KEYS):
        yield (), f"has no rule; expected one of {', '.join(RULE_KEYS)}"
    drop = data.get("drop", [])
    selectors: dict[Loc, object] = {(key,): data[key] for key in ("body", "date") if key in data}
    if not isinstance(drop, list) or len(drop) > MAX_SELECTORS:
        yield ("drop",), f'expected a list of at most {MAX_SELECTORS} selectors, as [".box"]'
    else:
        selectors = {("drop", index): value for index, value in enumerate(drop)} | selectors
    for loc, value in selectors.items():
        if not isinstance(value, str):
            yield loc, f"got {value!r}, expected a CSS selector"
            continue
        try:
            xpath_of(value)
        except ValueError as error:
            yield loc, f"the selector {error}"


DROPPED_MAX = 300  # characters of a dropped element that are reported
MAX_MATCHES = 500  # elements that a selector matches at most
DATE_ATTRIBUTES = ("datetime", "content", "data-date", "data-timestamp", "title")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """The result of applying site rules to a page."""

    body: _Element  # the tree that is searched for the text
    dropped: tuple[RemovedBlock, ...] = ()
    published_at: datetime | None = None


def apply_rules(tree: _Element, rules: SiteRules | None) -> RuleResult:
    """Apply site rules to a page. They drop elements from `tree` itself, so that metadata does not include them."""
    if rules is None:
        return RuleResult(body=tree)
    dropped = tuple(RemovedBlock(rule="site", text=text) for path in rules.drop for text in _drop_matches(tree, path))
    return RuleResult(body=_body(tree, rules.body), dropped=dropped, published_at=_date(tree, rules.date))


def _drop_matches(tree: _Element, path: str) -> Iterator[str]:
    """Remove the elements that an XPath selects, and yield their texts."""
    for element in _select(tree, path):
        if element.getparent() is None or element.tag in ("html", "body"):
            continue
        text = _text_of(element)[:DROPPED_MAX]
        element.drop_tree()
        if text:
            yield text


def _body(tree: _Element, path: str) -> _Element:
    """Return a page with only the elements that `path` matches; the whole page if it matches nothing."""
    selected = _select(tree, path)
    if not selected:
        return tree
    page: HtmlElement = fromstring("<html><body><article></article></body></html>")
    inside = set(selected)
    for element in selected:
        if inside.isdisjoint(element.iterancestors()):
            copy = deepcopy(element)
            copy.tail = None
            page.body[0].append(copy)
    return page


def _date(tree: _Element, path: str) -> datetime | None:
    texts = (
        text for element in _select(tree, path) for text in (*map(element.get, DATE_ATTRIBUTES), _text_of(element))
    )
    return next((moment for text in texts if text and (moment := parse_date(text))), None)


def _text_of(element: HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())


def _select(tree: _Element, path: str) -> list[HtmlElement]:
    return tree.xpath(path)[:MAX_MATCHES] if path else []


MAX_FILE = 64 * 1024  # bytes: rules of a site are ten lines


def rules_for(host: str, user_rules: Iterable[SiteRules] = ()) -> SiteRules | None:
    """Return the rules for a host or its parent domain, `user_rules` before built-in ones; None without any."""
    host = host.lower().removeprefix("www.")
    return _best_match(host, user_rules) or _best_match(host, load_builtin_rules())


def load_user_rules(settings: Path | None) -> tuple[SiteRules, ...]:
    """Return the rules in the folder `sites` next to the settings file. Errors: as `read_folder`."""
    return () if settings is None else read_folder(settings.parent / "sites")


def read_folder(folder: Traversable) -> tuple[SiteRules, ...]:
    """Return the rules in a folder's TOML files, () if it does not exist. Errors: SettingsError with all faults."""
    if not folder.is_dir():
        return ()
    rules: list[SiteRules] = []
    problems: list[Problem] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml") and file.is_file():
            try:
                rules.append(_parse_rules(_read_text(file), path=str(file)))
            except SettingsError as error:
                problems.extend(error.problems)
    if problems:
        raise SettingsError(tuple(problems))
    return tuple(rules)


@lru_cache(maxsize=1)
def load_builtin_rules() -> tuple[SiteRules, ...]:
    return read_folder(files("watcher.clean.sites"))


def _best_match(host: str, rules: Iterable[SiteRules]) -> SiteRules | None:
    matches = [(len(site), rule) for rule in rules for site in rule.hosts if host == site or host.endswith(f".{site}")]
    return max(matches, key=lambda pair: pair[0])[1] if matches else None


def _read_text(file: Traversable) -> str:
    """Return the text of a file of site rules. Errors: SettingsError."""
    body = file.read_bytes()
    if len(body) > MAX_FILE:
        raise SettingsError((_problem(str(file), f"is larger than {MAX_FILE // 1024} KiB"),))
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise SettingsError((_problem(str(file), "is not UTF-8", place=(line, 1)),)) from error
