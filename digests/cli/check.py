"""What `watcher check` looks at for the digests: own templates, and with `--online` each way of delivery."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from digests.delivery.smtp import SmtpChannel
from digests.edition.publish import load_own_templates
from digests.render.forms import try_templates
from digests.settings.alerts import alerts_of
from digests.settings.delivery import DeliverSettings
from digests.settings.digests import digests_of, smtp_of
from watcher.errors import WatcherError
from watcher.plugins import CheckResult
from watcher.settings.models import Settings
from watcher.settings.types import Secret


def check_templates(settings: Settings) -> dict[str, int]:
    """Return how many templates the digests have of their own. Errors: DigestError if one is wrong."""
    own = {
        digest.templates: load_own_templates(digest.templates) for digest in digests_of(settings) if digest.templates
    }
    for files in own.values():
        try_templates(files)
    return {"templates": sum(map(len, own.values()))} if own else {}


TIMEOUT_S = 15.0


def check_deliveries(settings: Settings) -> Iterator[CheckResult]:
    """Yield each way of delivery of the digests and of the alerts, each once."""
    all_ways = [way for digest in digests_of(settings) for way in digest.deliver] + list(alerts_of(settings).deliver)
    seen: set[tuple[str, str]] = set()
    for way in all_ways:
        name = route_name(way, settings)
        if (way.channel, name) not in seen:
            seen.add((way.channel, name))
            yield check_route(way, settings, name)


def route_name(way: DeliverSettings, settings: Settings) -> str:
    """Return what is asked, by a name that may be shown."""
    match way.channel:
        case "smtp":
            server = smtp_of(settings)
            return f"{server.at[0]}:{server.at[1]}" + (f" as {server.user}" if server.user else "")
        case "sendmail":
            return way.program[0]
        case _:
            return way.recipients(())[0]


def check_route(way: DeliverSettings, settings: Settings, name: str) -> CheckResult:
    """Return what came of trying a way, without sending anything."""
    what = {"smtp": "mail server", "sendmail": "mail program", "webhook": "web address", "file": "folder"}[way.channel]
    try:
        match way.channel:
            case "smtp":
                try_log_in(settings)
            case "webhook":
                try_connect(way)
            case "sendmail":
                if shutil.which(way.program[0]) is None:
                    return CheckResult(what=what, name=name, fault="there is no such program, or it may not be run")
            case _:
                if not is_writable(Path(str(way.directory))):
                    return CheckResult(what=what, name=name, fault="cannot be written")
    except WatcherError as error:
        return CheckResult(what=what, name=name, fault=getattr(error, "reason", str(error)), hint=error.hint or "")
    return CheckResult(what=what, name=name)


def try_log_in(settings: Settings) -> None:
    """Connect to the mail server, log in, and leave. Errors: WatcherError."""
    server = smtp_of(settings)
    channel = SmtpChannel(server, sender="", password=server.password.reveal() if server.password else "")
    try:
        channel.log_in()
    finally:
        channel.close()


def try_connect(way: DeliverSettings) -> None:
    """Open a connection to a web address, its secrets read, and send nothing. Errors: WatcherError."""
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


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or it can be made itself."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
