"""The checks of `watcher check` for the digests: own templates, and with `--online` each delivery channel."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from digests.delivery.smtp import SmtpChannel
from digests.edition.publish import load_own_templates
from digests.render.forms import try_templates
from digests.settings.alerts import alerts_of
from digests.settings.delivery import DeliverSettings, SmtpSettings
from digests.settings.digests import digests_of, smtp_of
from watcher.errors import WatcherError
from watcher.plugins import CheckResult
from watcher.settings.models import Settings
from watcher.settings.types import Secret


def check_templates(settings: Settings) -> dict[str, int]:
    """Return the number of the digests' own templates; {} without any. Errors: DigestError, if one is wrong."""
    own = {each.templates: load_own_templates(each.templates) for each in digests_of(settings) if each.templates}
    for files in own.values():
        try_templates(files)
    return {"templates": sum(map(len, own.values()))} if own else {}


TIMEOUT_S = 15.0


def check_deliveries(settings: Settings) -> Iterator[CheckResult]:
    all_ways = [way for digest in digests_of(settings) for way in digest.deliver] + list(alerts_of(settings).deliver)
    checks: dict[tuple[str, str], Callable[[], None]] = {}
    for way in all_ways:
        what, name, check = delivery_check(way, settings)
        checks.setdefault((what, name), check)
    for (what, name), check in checks.items():
        try:
            check()
        except WatcherError as error:
            fault = getattr(error, "reason", str(error))
            yield CheckResult(what=what, name=name, fault=fault, hint=error.hint or "")
        else:
            yield CheckResult(what=what, name=name)


def delivery_check(way: DeliverSettings, settings: Settings) -> tuple[str, str, Callable[[], None]]:
    """Return what a channel reaches, its name for display, and a function that raises WatcherError if it fails."""
    match way.channel:
        case "smtp":
            server = smtp_of(settings)
            name = f"{server.at[0]}:{server.at[1]}" + (f" as {server.user}" if server.user else "")
            return "mail server", name, partial(try_log_in, server)
        case "sendmail":
            return "mail program", way.program[0], partial(try_program, way.program[0])
        case "webhook":
            return "web address", way.recipients(())[0], partial(try_connect, way)
        case "file":
            return "folder", way.recipients(())[0], partial(try_folder, Path(str(way.directory)))


def try_log_in(server: SmtpSettings) -> None:
    password = server.password.reveal() if server.password else ""
    with closing(SmtpChannel(server, sender="", password=password)) as channel:
        channel.log_in()


def try_program(program: str) -> None:
    if shutil.which(program) is None:
        raise WatcherError("there is no such program, or it may not be run")


def try_connect(way: DeliverSettings) -> None:
    if way.token is not None:
        way.token.reveal()
    parts = urlsplit((way.url.reveal() if isinstance(way.url, Secret) else str(way.url)).strip())
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=TIMEOUT_S) as line:
            if parts.scheme == "https":
                ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname).close()
    except (OSError, ValueError) as error:
        raise WatcherError(f"cannot be connected to: {getattr(error, 'strerror', None) or error}") from error


def try_folder(folder: Path) -> None:
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise WatcherError("cannot be written")
