"""What `sources discover` and `sources test` share: the address that is meant, what went wrong, and what mends it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from watcher.cli.app import current_session, load_settings
from watcher.cli.output import say
from watcher.errors import BadStatus, FetchError, Refused, SettingsError, TimedOut, TooLarge, Unreachable
from watcher.feeds.inspect import NoFeed
from watcher.settings.load import ENV, find, settings_model
from watcher.text.format import format_duration
from watcher.text.urls import is_web

if TYPE_CHECKING:
    from watcher.settings.model import Settings
    from watcher.worker.inspect import ProbeResult

CONNECTION_ADVICE = (
    ("does not resolve", "is the name spelt right, and is this machine online?"),
    ("refused", "nothing listens there: are host and port right?"),
    ("certificate", "tell the publisher; nothing is read from a site that cannot show who it is"),
)
STATUS_ADVICE = {
    401: "put user and password into the address: https://user:password@…",
    403: "set [fetch] contact, so that the publisher can see who asks and let it pass",
    429: "ask again later, and less often",
}


def settings_or_defaults(config: Path | None) -> Settings:
    """
    Return the settings, or the defaults where no file was named and none is at the usual places.

    Errors: SettingsError if a file was named and is not there, or has faults.
    """
    if config is None and current_session().config is None and not os.environ.get(ENV):
        try:
            find()
        except SettingsError:
            return settings_model()()
    return load_settings(config)


def spellings(text: str) -> tuple[str, ...]:
    """
    Return the URLs that a person may mean, most likely first: "example.org" is asked over https, then http; with a
    port of its own, "nas:8080", the other way round.

    Errors: SettingsError if it is no web address.
    """
    typed = text.strip()
    if typed.lower().startswith("feed:"):
        rest = typed[len("feed:") :]
        typed = rest.removeprefix("//")
    if is_web(typed):
        return (typed,)
    if "://" not in typed and not any(c.isspace() for c in typed):
        urls = (f"https://{typed}", f"http://{typed}")
        host = urlsplit(urls[0]).hostname if is_web(urls[0]) else None
        if host and ("." in host or ":" in typed or host == "localhost"):
            return urls if urlsplit(urls[0]).port in (None, 443) else urls[::-1]
    error = SettingsError((), f"{text}: no address of a site or feed")
    error.mend = "an address begins with https:// or http://, or is a name such as example.org"
    raise error


def reason_of(look: ProbeResult) -> str:
    """Return in words why there is no feed; empty if there is one."""
    if isinstance(look.found, NoFeed):
        if look.found.wall:
            return f"a bot wall ({look.found.wall}) instead of a feed"
        words = look.found.reason.replace(", not a feed", "", 1).replace(", but not a feed", "", 1)
        return f"not a feed: {words}"
    if isinstance(look.error, FetchError):
        return f"a bot wall: {look.error.reason}" if is_wall(look.error) else look.error.reason
    return f"reading it {look.error}" if look.error else ""


def is_wall(error: BaseException) -> bool:
    """Whether an error status came from a bot wall."""
    return isinstance(error, BadStatus) and "a bot wall" in error.reason


def advice(look: ProbeResult) -> str | None:
    """Return what a person can do where there is no feed; None where nothing is to be done."""
    error = look.error
    url = error.answered_by if isinstance(error, BadStatus) else look.steps[-1].leads_to if look.steps else look.asked
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
    if isinstance(look.found, NoFeed):
        if "a list of feeds" in look.found.reason:
            return "save it to a file, then: watcher sources import FILE"
        page = look.answer.url if look.answer and look.found.links else site
        return None if look.found.wall else f"watcher sources discover {quote(page)}"
    if isinstance(error, Refused) and "private address" in error.reason:
        return opened(url) if parts.hostname == urlsplit(look.asked).hostname else None
    if isinstance(error, Unreachable):
        return next((words for mark, words in CONNECTION_ADVICE if mark in error.reason), None)
    if isinstance(error, TimedOut):
        return "ask again later; [fetch] timeout and deadline set how long an answer may take"
    if isinstance(error, TooLarge):
        return "[fetch] max_bytes sets how large it may be"
    if isinstance(error, BadStatus):
        if error.retry_after_s:
            return f"ask again in {format_duration(error.retry_after_s)}, as the server wishes (Retry-After)"
        if error.status in (404, 410) and parts.path not in ("", "/"):
            return f"watcher sources discover {quote(site)}"
        return STATUS_ADVICE.get(error.status, "ask again later" if error.status >= 500 else None)
    return None


def opened(url: str) -> str:
    """Return the setting that lets a private address be asked: of one that a person named, not a site's redirect."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f'in the settings, [fetch] allow_private = ["{place}"] lets it be asked'


def size(count: int) -> str:
    """Return bytes for a person: "812 bytes", "45.1 kB", "2.3 MB"."""
    if count < 1_000:
        return f"{count} byte{'' if count == 1 else 's'}"
    return f"{count / 1_000:.1f} kB" if count < 999_950 else f"{count / 1_000_000:.1f} MB"


def tell_on_terminal(url: str) -> None:
    """Say on a terminal what is being asked: a pause between two requests would look like a stop."""
    if sys.stderr.isatty():
        say(f"asking {url}")
