"""`watcher check --deep` and `--online`: checks the store, the feed of each source, and what installed packages add."""

import asyncio
from collections import defaultdict

from sqlalchemy import Engine

from watcher.cli.inspect import find_hint
from watcher.cli.options import closing_store
from watcher.errors import FetchError
from watcher.model import Source
from watcher.plugins import CheckResult, load_plugins
from watcher.settings.models import Settings
from watcher.store.check import StoreProblem, find_problems
from watcher.store.engine import open_store
from watcher.store.writer import read, write
from watcher.text.urls import host_key
from watcher.worker import scheduler
from watcher.worker.inspect import ProbeResult, open_prober
from watcher.worker.proposals import failure_reason

# Entry points: value = "module:function", which takes the settings and yields a `CheckResult` for each check.
ONLINE_GROUP = "watcher.online_checks"
HOSTS_AT_ONCE = 16


def check_store(settings: Settings, *, repair: bool) -> list[dict[str, object]]:
    """Return the faults in the store; with `repair`, repair those that can be repaired. Errors: StoreError."""
    with closing_store(open_store(settings.store.url, create=False)) as engine:
        problems = read(engine, find_problems)
        return [
            {"what": problem.what, "hint": problem.hint, "repaired": repair and _repair_problem(engine, problem)}
            for problem in problems
        ]


def _repair_problem(engine: Engine, problem: StoreProblem) -> bool:
    """Repair a problem, in as many transactions as needed; return False if it has no automatic repair."""
    while problem.repair and write(engine, problem.repair):
        pass
    return problem.repair is not None


def check_online(settings: Settings) -> tuple[CheckResult, ...]:
    """Check sources and plug-ins online; nothing is stored, and no message is sent. Errors: PluginError."""
    sources = scheduler.run(_check_sources(settings))
    plugins = [result for _, checks in load_plugins(ONLINE_GROUP, "the check") for result in checks(settings)]
    return (*sources, *plugins)


async def _check_sources(settings: Settings) -> list[CheckResult]:
    """Request each feed once, up to `HOSTS_AT_ONCE` hosts in parallel; return results in the order of the settings."""
    sources, probes = settings.active_sources(), dict[str, ProbeResult]()
    by_host = defaultdict[str, list[Source]](list)
    for source in sources:
        by_host[host_key(source.url)].append(source)
    slots = asyncio.Semaphore(HOSTS_AT_ONCE)
    async with open_prober(settings, lambda url: None) as prober:

        async def visit(host_sources: list[Source]) -> None:
            async with slots:
                for source in host_sources:
                    probes[source.url] = await prober.probe(source.url)

        await asyncio.gather(*map(visit, by_host.values()))
    errors = [probe.error for probe in probes.values()]
    if len(by_host) > 1 and all(isinstance(error, FetchError) and error.no_connection for error in errors):
        fault = f"none of {len(by_host)} hosts can be reached: your internet connection seems to be down"
        return [CheckResult(what="network", name="internet connection", fault=fault, hint="go online, then try again")]
    return [
        CheckResult(what="source", name=source.name, fault=failure_reason(probe), hint=find_hint(probe) or "")
        for source, probe in ((source, probes[source.url]) for source in sources)
    ]
