"""`watcher check --online`: whether each source answers with a feed, and what installed packages ask of others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from watcher.errors import PluginError

if TYPE_CHECKING:
    from watcher.model import Source
    from watcher.settings.model import Settings
    from watcher.work.probe import Looker

# Entry points: value = "module:function", which takes the settings and yields what it asked, with the answer.
GROUP = "watcher.online_checks"
HOSTS_AT_ONCE = 16
REASON_CHARS, NAME_CHARS = 200, 60
MANY = {"web address": "web addresses"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked, "source" or "mail server" say, its name, and what is wrong; nothing if all is well."""

    what: str
    name: str
    fault: str = ""
    mend: str = ""


def ask_all(settings: Settings) -> tuple[Asked, ...]:
    """Ask everybody whom the settings name; nothing is stored or sent. Errors: PluginError."""
    from watcher.work import loop

    return (*loop.run(ask_sources(settings)), *plugged_in(settings))


async def ask_sources(settings: Settings) -> list[Asked]:
    """Ask each source for its feed once, hosts side by side; return them in the order of the settings."""
    from watcher.text.urls import host_key
    from watcher.work.probe import open_looker

    sources = settings.active_sources()
    by_host: dict[str, list[Source]] = {}
    for source in sources:
        by_host.setdefault(host_key(source.url), []).append(source)
    found: dict[str, Asked] = {}
    room = asyncio.Semaphore(HOSTS_AT_ONCE)
    async with open_looker(settings) as looker:

        async def visit(those: list[Source]) -> None:
            async with room:
                for source in those:
                    found[source.url] = await ask(source, looker)

        await asyncio.gather(*map(visit, by_host.values()))
    return [found[source.url] for source in sources]


async def ask(source: Source, looker: Looker) -> Asked:
    """Return what a source answers."""
    from watcher.cli.looking import advice
    from watcher.errors import FetchError
    from watcher.feeds.inspect import NoFeed

    look = await looker.look(source.url)
    if isinstance(look.error, FetchError):
        return Asked(what="source", name=source.name, fault=look.error.reason, mend=advice(look) or "")
    if look.error is not None:
        return Asked(what="source", name=source.name, fault=str(look.error))
    if isinstance(look.found, NoFeed):
        return Asked(what="source", name=source.name, fault=look.found.reason, mend=advice(look) or "")
    return Asked(what="source", name=source.name)


def plugged_in(settings: Settings) -> Iterator[Asked]:
    """Yield what installed packages asked. Errors: PluginError."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            check: Callable[[Settings], Iterable[Asked]] = point.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(f"the check {point.value} cannot be loaded: {error}") from error
        yield from check(settings)


def asked_json(found: Iterable[Asked]) -> list[dict[str, Any]]:
    """Return what was asked, as JSON has it."""
    return [
        {"what": each.what, "name": each.name, "ok": not each.fault, "fault": each.fault, "mend": each.mend}
        for each in found
    ]


def asked_lines(found: Iterable[Asked]) -> Iterator[str]:
    """Yield what was asked, for a terminal: counts of what is well, and each fault."""
    from watcher.cli.check import worded
    from watcher.feeds.html_text import one_line

    kinds: dict[str, list[Asked]] = {}
    for each in found:
        kinds.setdefault(each.what, []).append(each)
    for what, those in kinds.items():
        well = sum(not each.fault for each in those)
        yield f"{worded(MANY.get(what, f'{what}s'), len(those))} asked: {well} well, {len(those) - well} not"
        for each in those:
            if each.fault:
                yield f"  {one_line(each.name, NAME_CHARS)}: {one_line(each.fault, REASON_CHARS)}"
                if each.mend:
                    yield f"    try: {one_line(each.mend, REASON_CHARS)}"
