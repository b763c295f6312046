"""The press as settings: the TOML that a watcher needs to poll it."""

from __future__ import annotations

import json

from watcher.demo.server import DemoServer
from watcher.model import Source

FIELDS = ("url", "name", "language", "country", "section", "owner")


def settings_toml(press: DemoServer, *, host_delay: str | None = None) -> str:
    """
    Return `[fetch]` and `[[sources]]` for the press that is being served, as TOML.

    Args:
        host_delay: Between two page requests to one host, as a duration ("0.1s"); else the setting's default holds.
    """
    fetch = ["[fetch]", f"allow_private = {_toml(list(press.allow_private))}"]
    if host_delay is not None:
        fetch.append(f"host_delay = {_toml(host_delay)}")
    return "\n".join([*fetch, "", *(_row(source) for source in press.sources)])


def _row(source: Source) -> str:
    pairs = [(field, getattr(source, field)) for field in FIELDS]
    lines = [f"{field} = {_toml(value)}" for field, value in pairs if value is not None]
    if source.full_text:
        lines.append("full_text = true")
    return "\n".join(["[[sources]]", *lines, ""])


def _toml(value: str | list[str]) -> str:
    """Return `value` as TOML: of strings without control characters, JSON's form is TOML's too."""
    return json.dumps(value, ensure_ascii=False)
