"""The settings of `[work]`, `[log]`, `[metrics]` and `[web]`: who works, what a daemon says of itself, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Literal

from pydantic import Field, field_validator

from watcher.errors import WatcherError
from watcher.settings.section import Fault, Part
from watcher.settings.values import OptionalSecret, shown

TOKEN_CHARS = 16  # at least: ten guesses a minute find no such token
LISTEN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[\w.-]+)):(?P<port>\d{1,5})", re.ASCII)


class LogSettings(Part):
    """The daemon's log, on standard error: one event a line."""

    format: Literal["text", "json"] = Field(default="text", description="Form of a line.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="From which weight on an event is logged."
    )


class WorkSettings(Part):
    """Who visits hosts: this process, or as many as there are (docs/scale.md)."""

    queue: Literal["local", "pgqueuer"] = Field(
        default="local",
        description='"pgqueuer" shares them among all `watcher run` and `watcher work` of a store on PostgreSQL.',
    )


class MetricsSettings(Part):
    """Numbers for Prometheus at `/metrics`, and `/healthz`, over HTTP."""

    listen: str = Field(
        default="", description='Where the daemon answers, "127.0.0.1:9464"; by default nowhere.', max_length=300
    )
    token: OptionalSecret = Field(
        default=None,
        description="Bearer token that has to be sent, of 16 characters or more; needed where others can reach the "
        "address.",
    )

    @field_validator("listen")
    @classmethod
    def check_listen(cls, value: str) -> str:
        """Return the address if it is host:port."""
        return checked(value, such_as="127.0.0.1:9464")

    @classmethod
    def faults(cls, data: object, document: Mapping[str, object]) -> Iterable[Fault]:
        """Yield a fault where others can reach the address and no token is asked for."""
        return open_to_all(data)


WEB_LISTEN = "127.0.0.1:8420"


class WebSettings(Part):
    """The local site: editions, stories, sources, search (docs/web.md)."""

    listen: str = Field(
        default=WEB_LISTEN,
        description='Where `watcher run` and `watcher web` serve it; "" is nowhere.',
        max_length=300,
    )
    token: OptionalSecret = Field(
        default=None,
        description="What a browser has to give as its password, of 16 characters or more; needed where others can "
        "reach the address.",
    )

    @field_validator("listen")
    @classmethod
    def check_listen(cls, value: str) -> str:
        """Return the address if it is host:port."""
        return checked(value, such_as=WEB_LISTEN)

    @classmethod
    def faults(cls, data: object, document: Mapping[str, object]) -> Iterable[Fault]:
        """Yield a fault where others can reach the address and no token is asked for."""
        return open_to_all(data)


def checked(listen: str, *, such_as: str) -> str:
    """Return the address if it is host:port, or empty."""
    if listen and place(listen) is None:
        raise ValueError(f'got {shown(listen)}, expected host:port such as "{such_as}"')
    return listen


def open_to_all(data: object) -> Iterable[Fault]:
    """Yield a fault where others can reach the address that raw settings name, and no token is asked for."""
    rows = data if isinstance(data, Mapping) else {}
    listen = rows.get("listen")
    found = place(listen) if isinstance(listen, str) else None
    if found and not is_loopback(found[0]) and "token" not in rows:
        message = f'got {shown(listen)} without a token; expected an address of this machine, or token = "file:…"'
        yield Fault(loc=("listen",), message=message)


def token_of(wanted: MetricsSettings | WebSettings, *, section: str) -> str | None:
    """Return the token, None if none is asked for. Errors: WatcherError if it cannot be read, or is too short."""
    if wanted.token is None:
        return None
    token = wanted.token.reveal().strip()
    if len(token) < TOKEN_CHARS:
        error = WatcherError(f"[{section}] token {wanted.token} has {len(token)} characters, not {TOKEN_CHARS} or more")
        error.mend = "write a longer one there, such as: openssl rand -hex 16"
        raise error
    return token


def place(listen: str) -> tuple[str, int] | None:
    """Return host and port, None if `listen` names none."""
    match = LISTEN.fullmatch(listen)
    if match is None or not 0 < int(match["port"]) < 65_536:
        return None
    return match["six"] or match["host"], int(match["port"])


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
