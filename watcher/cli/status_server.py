"""What `watcher status` says of the store's server: who holds a transaction open for long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

NAME_CHARS = 100


def held_open_found(engine: Engine) -> list[dict[str, Any]]:
    """Return the transactions that keep the server from cleaning up, as JSON has them; none on SQLite."""
    from watcher.cli.status_source import iso
    from watcher.store.held_open import held_open
    from watcher.store.writer import read

    names = ("pid", "application", "login", "state", "mend")
    found = read(engine, held_open)
    return [{name: getattr(each, name) for name in names} | {"since": iso(each.since)} for each in found]


def held_open_lines(found: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what a person should know of them, for a terminal."""
    from watcher.cli.status_source import moment
    from watcher.feeds.html_text import one_line

    for each in found:
        who = one_line(f"{each['application'] or 'a program without a name'} (login {each['login']})", NAME_CHARS)
        yield f"server   {who} holds a transaction open since {moment(each['since'])}: the tables grow meanwhile"
        yield f"{'':9}try: {each['mend']}"
