"""`watcher check`: the settings file, all faults at once; the store looked through, and sources asked, where wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from watcher.cli.commands import DONE, FAILED, PARTLY, USAGE
from watcher.cli.options import Config, Json, load_settings, settings_path, with_examples
from watcher.cli.output import print_json, print_lines, say
from watcher.errors import SettingsError, WatcherError
from watcher.plugins import load_plugins

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from watcher.model import Source
    from watcher.settings.models import Settings
    from watcher.store.check import StoreProblem
    from watcher.worker.inspect import FeedProber

# Entry points: value = "module:function", which takes the settings, returns counts of what is fine by its plural name,
# and raises a WatcherError for what is not.
CHECKS_GROUP = "watcher.checks"
# Entry points: value = "module:function", which takes the settings and yields what it asked, with the answer.
ONLINE_GROUP = "watcher.online_checks"
HOSTS_AT_ONCE = 16
REASON_CHARS, NAME_CHARS = 200, 60
MANY = {"web address": "web addresses"}


@with_examples("watcher check", "watcher check --json", "watcher check --deep", "watcher check --online")
def check(
    deep: Annotated[bool, typer.Option("--deep", help="Look the store through as well: it takes a while.")] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Ask each source, and log in to the mail server; nothing is sent.")
    ] = False,
    mend: Annotated[bool, typer.Option("--mend", help="With --deep: mend in the store what can be mended.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Check the settings file: every fault at once, each with its line and column, and what was expected.

    The rules for single sites in the folder `sites` beside it are checked too, and the templates of the digests.
    `--deep` looks the store through as well: whether the database is sound, and whether what is in it belongs
    together; exit code 1 if not.
    `--online` asks each source for its feed, and tries each way of delivery up to where something would be sent: it
    logs in to the mail server and leaves; exit code 3 if something is not well.
    """
    path = settings_path(config)
    try:
        settings, counts = validate(path)
    except WatcherError as error:
        if not json:
            raise
        return print_error_json(path, error)
    store = check_store(settings, mend=mend) if deep or mend else None
    asked = check_all(settings) if online else None
    if json:
        print_json_report(path, counts, store, asked)
    else:
        print_report(settings, counts, store, asked)
    if store is not None and len(store[0]) != len(store[1]):
        return FAILED
    return PARTLY if any(each.fault for each in asked or ()) else DONE


def validate(path: Path) -> tuple[Settings, dict[str, int]]:
    """Return the settings, and how many there are of what is fine. Errors: WatcherError."""
    from watcher.clean.site_rules import load_user_rules

    settings = load_settings(path)
    check_tokens(settings, path)
    rules = load_user_rules(settings.path)
    counts = count_tables(settings) | ({"site rules": len(rules)} if rules else {})
    return settings, counts | count_plugins(settings)


def check_tokens(settings: Settings, path: Path) -> None:
    """Look at the tokens that can be read here. Errors: SettingsError if one is too short."""
    from watcher.settings.base import ValidationIssue
    from watcher.settings.load import locate_issues, read_file
    from watcher.settings.models import TOKEN_CHARS
    from watcher.settings.toml_syntax import Positions, parse_with_recovery

    faults = []
    for name, token in (("metrics", settings.metrics.token), ("web", settings.web.token)):
        with suppress(WatcherError):  # a variable that only the service has, say
            count = len(token.reveal().strip()) if token else TOKEN_CHARS
            if count < TOKEN_CHARS:
                message = f"got a token of {count} characters in {token}, expected {TOKEN_CHARS} or more"
                faults.append(ValidationIssue(loc=(name, "token"), message=message))
    if faults:
        raise SettingsError(tuple(locate_issues(faults, Positions(parse_with_recovery(read_file(path)).sound), path)))


def print_error_json(path: Path, error: WatcherError) -> int:
    """Print a fault as JSON; return the exit code."""
    problems = [asdict(problem) for problem in error.problems] if isinstance(error, SettingsError) else []
    print_json({"ok": False, "path": str(path), "problems": problems, "error": str(error)})
    return USAGE if isinstance(error, SettingsError) else FAILED


def print_json_report(
    path: Path,
    counts: dict[str, int],
    store: tuple[list[StoreProblem], list[StoreProblem]] | None,
    asked: tuple[CheckResult, ...] | None,
) -> None:
    """Print what was found as JSON."""
    more: dict[str, object] = {"store": findings_to_json(*store)} if store is not None else {}
    more |= {"online": results_to_json(asked)} if asked is not None else {}
    print_json({"ok": True, "path": str(path), "problems": [], **counts, **more})


def print_report(
    settings: Settings,
    counts: dict[str, int],
    store: tuple[list[StoreProblem], list[StoreProblem]] | None,
    asked: tuple[CheckResult, ...] | None,
) -> None:
    """Print what was found for a person."""
    print_lines([f"{', '.join(count_noun(name, count) for name, count in counts.items())}: fine"])
    if not settings.fetch.contact:
        say("[fetch] contact is not set: publishers whom a poll troubles can only block it")
    if settings.semantic.embedder == "endpoint" and settings.semantic.endpoint:
        host = urlsplit(settings.semantic.endpoint.url).hostname
        say(f"each article's title and first words are sent to {host}, for its vector")
    if store is not None:
        print_lines(format_findings(findings_to_json(*store)))
    print_lines(format_results(asked or ()))


def format_findings(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what the store's look-through found, for a terminal."""
    if not rows:
        yield "store: sound, and all in it belongs together"
    for row in rows:
        yield f"store: {row['what']}: {'mended' if row['mended'] else 'try: ' + row['mend']}"


def count_tables(settings: Settings) -> dict[str, int]:
    """Return how many tables each list of the settings has, by its name."""
    from watcher.settings.base import SettingsList

    counts = {"sources": len(settings.sources)}
    for name in type(settings).model_fields:
        section = settings.section(name)
        if isinstance(section, SettingsList):
            counts[name] = len(section.root)
    return counts


def count_noun(name: str, count: int) -> str:
    """Return a count with its noun: "1 digest", "2 digests"."""
    return f"{count} {name.removesuffix('es' if name.endswith('sses') else 's') if count == 1 else name}"


def count_plugins(settings: Settings) -> dict[str, int]:
    """Return what installed packages count. Errors: PluginError, and what their checks raise."""
    counts: dict[str, int] = {}
    for _, check in load_plugins(CHECKS_GROUP, "the check"):
        counts |= check(settings)
    return counts


def check_store(settings: Settings, *, mend: bool) -> tuple[list[StoreProblem], list[StoreProblem]]:
    """
    Return what is not as it should be in the store, and of that what has been mended.

    Errors: StoreError, PluginError.
    """
    from watcher.store.check import all_checks
    from watcher.store.engine import open_store
    from watcher.store.stats import enable_auto_vacuum
    from watcher.store.writer import read

    engine = open_store(settings.store.url, create=False)
    try:
        if mend:
            enable_auto_vacuum(engine, even_large=True)
        found = [finding for look in all_checks() for finding in read(engine, lambda c, look=look: list(look(c)))]  # type: ignore[misc]
        mended = [finding for finding in found if mend and repair(engine, finding)]
    finally:
        engine.dispose()
    return found, mended


def repair(engine: Engine, finding: StoreProblem) -> bool:
    """Mend a finding, a transaction at a time; False if nothing here mends it."""
    from watcher.store.writer import write

    if finding.repair is None:
        return False
    while write(engine, finding.repair):
        pass
    return True


def findings_to_json(found: list[StoreProblem], mended: list[StoreProblem]) -> list[dict[str, Any]]:
    """Return findings as JSON has them."""
    return [{"what": each.what, "mend": each.hint, "mended": each in mended} for each in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What was asked, "source" or "mail server" say, its name, and what is wrong; nothing if all is well."""

    what: str
    name: str
    fault: str = ""
    mend: str = ""


def check_all(settings: Settings) -> tuple[CheckResult, ...]:
    """Ask everybody whom the settings name; nothing is stored or sent. Errors: PluginError."""
    from watcher.worker import scheduler

    return (*scheduler.run(check_sources(settings)), *check_plugins(settings))


async def check_sources(settings: Settings) -> list[CheckResult]:
    """Ask each source for its feed once, hosts side by side; return them in the order of the settings."""
    from watcher.text.urls import host_key
    from watcher.worker.inspect import open_prober

    sources = settings.active_sources()
    by_host: dict[str, list[Source]] = {}
    for source in sources:
        by_host.setdefault(host_key(source.url), []).append(source)
    found: dict[str, CheckResult] = {}
    room = asyncio.Semaphore(HOSTS_AT_ONCE)
    async with open_prober(settings) as looker:

        async def visit(those: list[Source]) -> None:
            async with room:
                for source in those:
                    found[source.url] = await check_source(source, looker)

        await asyncio.gather(*map(visit, by_host.values()))
    return [found[source.url] for source in sources]


async def check_source(source: Source, looker: FeedProber) -> CheckResult:
    """Return what a source answers."""
    from watcher.cli.inspect import find_hint
    from watcher.errors import FetchError
    from watcher.feeds.inspect import NoFeed

    look = await looker.look(source.url)
    if isinstance(look.error, FetchError):
        return CheckResult(what="source", name=source.name, fault=str(look.error.reason), mend=find_hint(look) or "")
    if look.error is not None:
        return CheckResult(what="source", name=source.name, fault=str(look.error))
    if isinstance(look.found, NoFeed):
        return CheckResult(what="source", name=source.name, fault=str(look.found.reason), mend=find_hint(look) or "")
    return CheckResult(what="source", name=source.name)


def check_plugins(settings: Settings) -> Iterator[CheckResult]:
    """Yield what installed packages asked. Errors: PluginError."""
    for _, check in load_plugins(ONLINE_GROUP, "the check"):
        yield from check(settings)


def results_to_json(found: Iterable[CheckResult]) -> list[dict[str, Any]]:
    """Return what was asked, as JSON has it."""
    return [
        {"what": each.what, "name": each.name, "ok": not each.fault, "fault": each.fault, "mend": each.mend}
        for each in found
    ]


def format_results(found: Iterable[CheckResult]) -> Iterator[str]:
    """Yield what was asked, for a terminal: counts of what is well, and each fault."""
    from watcher.feeds.html_text import one_line

    kinds: dict[str, list[CheckResult]] = {}
    for each in found:
        kinds.setdefault(each.what, []).append(each)
    for what, those in kinds.items():
        well = sum(not each.fault for each in those)
        yield f"{count_noun(MANY.get(what, f'{what}s'), len(those))} asked: {well} well, {len(those) - well} not"
        for each in those:
            if each.fault:
                yield f"  {one_line(each.name, NAME_CHARS)}: {one_line(each.fault, REASON_CHARS)}"
                if each.mend:
                    yield f"    try: {one_line(each.mend, REASON_CHARS)}"
