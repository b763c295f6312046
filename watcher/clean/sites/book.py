"""The rules of all sites: those that come with Watcher, and a folder of one's own, which goes first."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from watcher.errors import Problem, SettingsError

if TYPE_CHECKING:
    from watcher.clean.sites.rules import SiteRules

MAX_FILE = 64 * 1024  # bytes: rules of a site are ten lines


def rules_for(host: str, own: Iterable[SiteRules] = ()) -> SiteRules | None:
    """Return the rules of a host or of the site it belongs to, `own` ones first; None if it needs none."""
    host = host.lower().removeprefix("www.")
    return _best(host, own) or _best(host, built_in())


def own_rules(settings: Path | None) -> tuple[SiteRules, ...]:
    """Return the rules in the folder `sites` beside a settings file; errors as `read_folder`."""
    return () if settings is None else read_folder(settings.parent / "sites")


def read_folder(folder: Traversable) -> tuple[SiteRules, ...]:
    """
    Return the rules in the TOML files of a folder, in the order of their names; none if there is no such folder.

    Errors: SettingsError with every fault of every file, each with its file and line.
    """
    if not folder.is_dir():
        return ()
    from watcher.clean.sites.rules import parse_rules

    rules: list[SiteRules] = []
    problems: list[Problem] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml") or not file.is_file():
            continue
        path = str(file)
        try:
            rules.append(parse_rules(_text(file, path), path=path))
        except SettingsError as error:
            problems.extend(error.problems)
    if problems:
        raise SettingsError(tuple(problems))
    return tuple(rules)


@lru_cache(maxsize=1)
def built_in() -> tuple[SiteRules, ...]:
    """Return the rules that come with Watcher."""
    return read_folder(files("watcher.clean.sites"))


def _best(host: str, rules: Iterable[SiteRules]) -> SiteRules | None:
    """Return the rules whose host is `host` or the longest that it is below of."""
    found = [(len(site), rule) for rule in rules for site in rule.hosts if host == site or host.endswith(f".{site}")]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _text(file: Traversable, path: str) -> str:
    body = file.read_bytes()
    if len(body) > MAX_FILE:
        raise SettingsError((_fault(path, 1, f"is larger than {MAX_FILE // 1024} KiB"),))
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise SettingsError((_fault(path, line, "is not UTF-8"),)) from error


def _fault(path: str, line: int, message: str) -> Problem:
    return Problem(path=path, line=line, column=1, key="file", message=message)
