"""`watcher check`: reports all faults of the settings file; optionally checks the store and online services."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel
from typer import Option

from watcher.clean.site_rules import load_user_rules
from watcher.cli.commands import DONE, FAILED, PARTLY, USAGE
from watcher.cli.options import Config, Json, load_settings, settings_path
from watcher.cli.output import print_err, print_json, print_lines
from watcher.errors import SettingsError, WatcherError
from watcher.net.address_guard import describe_refused_places
from watcher.plugins import CheckResult, load_plugins
from watcher.settings.base import SettingsList, ValidationIssue
from watcher.settings.load import locate_issues, read_file
from watcher.settings.models import TOKEN_CHARS, Settings
from watcher.settings.toml_syntax import Loc, Positions
from watcher.settings.types import Secret, format_duration_setting
from watcher.text.format import format_count
from watcher.text.plain_text import to_one_line
from watcher.text.urls import is_mail

# Entry points: value = "module:function", which takes the settings and returns the number of valid items by plural name
# ({"digests": 2}), or raises a WatcherError for an invalid one.
CHECKS_GROUP = "watcher.checks"
# Entry points: value = "module:function", which yields a sentence for each of the settings' doubtful parts.
WARNINGS_GROUP = "watcher.warnings"
REASON_CHARS, NAME_CHARS = 200, 60
SOURCES_NAMED = 3  # of those without a country


def check(
    deep: Annotated[bool, Option("--deep", help="Check the store as well; this takes a while.")] = False,
    online: Annotated[
        bool, Option("--online", help="Fetch each feed and log in to the mail server; no message is sent.")
    ] = False,
    repair: Annotated[bool, Option("--repair", help="With --deep: repair what can be repaired in the store.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Check the settings file and list every problem at once, with line, column and the expected value.

    It also checks the templates of the digests, and the site rules in the folder `sites` next to the settings file.
    `--deep` also checks that the store is intact and that its tables agree with each other; the exit code is 1 if not.
    `--online` fetches each feed and tests each delivery channel without sending anything: it logs in to the mail
    server and disconnects. If the settings name a LibreTranslate server, the check asks it to translate a word from
    each language of your sources. If one of the online checks fails, the exit code is 3.
    """
    path = settings_path(config)
    try:
        settings = load_settings(path)
        _check_tokens(settings, path)
        _check_secret_files(settings, path)
        counts = _count_tables(settings)
    except WatcherError as error:
        if not json:
            raise
        problems = error.problems if isinstance(error, SettingsError) else ()
        print_json({"ok": False, "path": path, "problems": problems, "error": str(error)})
        return USAGE if isinstance(error, SettingsError) else FAILED
    deep = deep or repair
    faults: list[dict[str, Any]] = []
    results: tuple[CheckResult, ...] = ()
    if deep or online:
        # Late: SQLAlchemy and the HTTP client take 0.4 s to load, and a check of the file alone does not need them.
        from watcher.cli.check_services import check_online, check_store

        faults = check_store(settings, repair=repair) if deep else []
        results = check_online(settings) if online else ()
    warnings = list(find_warnings(settings))
    if json:
        values: dict[str, object] = {"ok": True, "path": path, "problems": [], "warnings": warnings, **counts}
        values |= {"store": faults} if deep else {}
        rows = [{**asdict(result), "ok": not result.fault} for result in results]
        print_json(values | ({"online": rows} if online else {}))
    else:
        nouns = {name: name.removesuffix("es" if name.endswith("sses") else "s") for name in counts}
        print_lines([f"{', '.join(format_count(counts[name], noun, name) for name, noun in nouns.items())}: OK"])
        for warning in warnings:
            print_err(warning)
        print_lines(_format_faults(faults) if deep else ())
        print_lines(_format_results(results))
    if any(not fault["repaired"] for fault in faults):
        return FAILED
    return PARTLY if any(result.fault for result in results) else DONE


def _check_tokens(settings: Settings, path: Path) -> None:
    """Check the tokens of `[metrics]` and `[web]` that can be read. Errors: SettingsError if one is too short."""
    issues = []
    for name, token in (("metrics", settings.metrics.token), ("web", settings.web.token)):
        with suppress(WatcherError):  # for example a variable that is set only for the service
            count = len(token.reveal().strip()) if token else TOKEN_CHARS
            if count < TOKEN_CHARS:
                message = f"got a token of {count} characters in {token}, expected {TOKEN_CHARS} or more"
                issues.append(ValidationIssue(loc=(name, "token"), message=message))
    if issues:
        raise SettingsError(tuple(locate_issues(issues, Positions(read_file(path)), path)))


def _check_secret_files(settings: Settings, path: Path) -> None:
    """Errors: SettingsError with each secret of the settings whose file is missing; systemd may hand one over."""
    if "CREDENTIALS_DIRECTORY" in os.environ:
        return
    issues = [
        ValidationIssue(loc=loc, message=f"the file of the secret {secret} does not exist")
        for loc, secret in _find_secrets(settings, ())
        if secret.is_missing
    ]
    if issues:
        raise SettingsError(tuple(locate_issues(issues, Positions(read_file(path)), path)))


def _find_secrets(value: object, loc: Loc) -> Iterator[tuple[Loc, Secret]]:
    """Yield the references to secrets in the settings, each with its place."""
    if isinstance(value, Secret):
        yield loc, value
    elif isinstance(value, SettingsList):
        yield from _find_secrets(value.root, loc)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _find_secrets(getattr(value, name), (*loc, name))
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _find_secrets(each, (*loc, name))
    elif isinstance(value, tuple):
        for n, each in enumerate(value):
            yield from _find_secrets(each, (*loc, n))


def _count_tables(settings: Settings) -> dict[str, int]:
    """Return the number of valid items by plural name, where there are any. Errors: PluginError, and of its checks."""
    counts = {"sources": len(settings.sources)}
    for name in type(settings).model_fields:
        section = getattr(settings, name)
        if isinstance(section, SettingsList) and section.root:
            counts[name] = len(section.root)
    if rules := load_user_rules(settings.path):
        counts["site rules"] = len(rules)
    for _, check_plugin in load_plugins(CHECKS_GROUP, "the check"):
        counts |= check_plugin(settings)
    return counts


def find_warnings(settings: Settings) -> Iterator[str]:
    """Yield what is allowed in the settings, and perhaps not meant."""
    fetch, active = settings.fetch, settings.active_sources()
    if not active:
        empty = "there are no sources; watcher sources add URL adds one"
        yield f"nothing is polled: {'every source is paused' if settings.sources else empty}"
    urls: defaultdict[str, list[str]] = defaultdict(list)
    for source in active:
        urls[source.name].append(source.url)
    for name, alike in urls.items():
        if len(alike) > 1:
            yield f"{len(alike)} sources are named {name} and count as one outlet: {', '.join(alike)}"
    if refused := describe_refused_places([source.url for source in active], fetch.allow_private):
        yield refused
    if unplaced := describe_unknown_countries(settings):
        what = "no edition says where a story is not reported (articles that are stored already do not get it)"
        yield f"{unplaced}: set `country`; without it, {what}"
    unset = dict.fromkeys(
        secret.name
        for _, secret in _find_secrets(settings, ())
        if secret.kind == "env" and secret.name not in os.environ
    )
    if unset:
        yield f"not set in this shell: {', '.join(unset)}; set each where watcher run starts"
    if fetch.deadline < fetch.timeout:
        deadline, timeout = format_duration_setting(fetch.deadline), format_duration_setting(fetch.timeout)
        yield f"[fetch] deadline ({deadline}) is shorter than timeout ({timeout}), so the timeout is never reached"
    if not fetch.contact:
        yield "[fetch] contact is not set: a publisher with a complaint cannot reach you and may simply block you"
    if settings.semantic.embedder == "endpoint" and settings.semantic.endpoint:
        host = urlsplit(settings.semantic.endpoint.url).hostname
        yield f"the title and first words of each article are sent to {host} to be embedded"
    for _, find_more in load_plugins(WARNINGS_GROUP, "the check"):
        yield from find_more(settings)


def describe_unknown_countries(settings: Settings) -> str:
    """Return "3 of 33 sources have no country (A, B, C)", or "" if all have one; mail folders are not counted."""
    feeds = [source for source in settings.active_sources() if not is_mail(source.url)]
    names = [to_one_line(source.name, NAME_CHARS) for source in feeds if not source.country]
    if not names:
        return ""
    more = ["…"] if len(names) > SOURCES_NAMED else []
    verb = "has" if len(names) == 1 else "have"
    listed = ", ".join(names[:SOURCES_NAMED] + more)
    return f"{len(names)} of {format_count(len(feeds), 'source')} {verb} no country ({listed})"


def _format_faults(faults: list[dict[str, Any]]) -> Iterator[str]:
    if not faults:
        yield "store: no problems found"
    for fault in faults:
        yield f"store: {fault['what']}: " + ("repaired" if fault["repaired"] else f"try: {fault['hint']}")


def _format_results(results: Sequence[CheckResult]) -> Iterator[str]:
    """Yield for each kind of check how many succeeded, then the failures and hints."""
    for what in dict.fromkeys(result.what for result in results):
        those = [result for result in results if result.what == what]
        well = sum(not result.fault for result in those)
        plural = f"{what}es" if what.endswith("ss") else f"{what}s"
        yield f"{format_count(len(those), what, plural)} checked: {well} OK, {len(those) - well} failed"
        for result in those:
            if result.fault:
                yield f"  {to_one_line(result.name, NAME_CHARS)}: {to_one_line(result.fault, REASON_CHARS)}"
            if result.hint:
                yield f"    try: {to_one_line(result.hint, REASON_CHARS)}"
