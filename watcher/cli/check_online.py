"""`watcher check --online`: requests the feed of each source, and runs the online checks of installed packages."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from watcher.cli.inspect import find_hint
from watcher.errors import FetchError
from watcher.feeds.inspect import NotAFeed
from watcher.model import Source
from watcher.plugins import CheckResult, load_plugins
from watcher.settings.models import Settings
from watcher.text.urls import host_key
from watcher.worker import scheduler
from watcher.worker.inspect import FeedProber, open_prober

# Entry points: value = "module:function", which takes the settings and yields a `CheckResult` for each check.
ONLINE_GROUP = "watcher.online_checks"
HOSTS_AT_ONCE = 16


def check_online(settings: Settings) -> tuple[CheckResult, ...]:
    """Check sources and plug-ins online; nothing is stored, and no message is sent. Errors: PluginError."""
    sources = scheduler.run(check_sources(settings))
    plugins = [result for _, checks in load_plugins(ONLINE_GROUP, "the check") for result in checks(settings)]
    return (*sources, *plugins)


async def check_sources(settings: Settings) -> list[CheckResult]:
    """Request each feed once, up to `HOSTS_AT_ONCE` hosts in parallel; return results in the order of the settings."""
    sources, found = settings.active_sources(), dict[str, CheckResult]()
    by_host = defaultdict[str, list[Source]](list)
    for source in sources:
        by_host[host_key(source.url)].append(source)
    slots = asyncio.Semaphore(HOSTS_AT_ONCE)
    async with open_prober(settings) as prober:

        async def visit(those: list[Source]) -> None:
            async with slots:
                for source in those:
                    found[source.url] = await check_source(source, prober)

        await asyncio.gather(*map(visit, by_host.values()))
    return [found[source.url] for source in sources]


async def check_source(source: Source, prober: FeedProber) -> CheckResult:
    probe = await prober.probe(source.url)
    match probe.error or probe.found:
        case FetchError(reason=reason) | NotAFeed(reason=reason):
            return CheckResult(what="source", name=source.name, fault=str(reason), hint=find_hint(probe) or "")
        case Exception() as error:
            return CheckResult(what="source", name=source.name, fault=str(error))
    return CheckResult(what="source", name=source.name)
