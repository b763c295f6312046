"""What `watcher status` says of who holds a transaction open on the store's server."""

from __future__ import annotations

from datetime import UTC, datetime

from watcher.cli.status_server import held_open_found, held_open_lines
from watcher.store.open import open_store


def test_nothing_is_said_where_nobody_does(store_url):
    engine = open_store(store_url)

    assert list(held_open_lines(held_open_found(engine))) == []
    engine.dispose()


def test_who_holds_one_is_named_with_what_ends_it():
    since = datetime(2026, 11, 25, 6, 5, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    one = {"pid": 4711, "application": "psql", "login": "ann", "state": "idle in transaction", "since": since}

    lines = list(held_open_lines([one | {"mend": "SELECT pg_terminate_backend(4711) ends it"}]))

    assert lines == [
        "server   psql (login ann) holds a transaction open since 2026-11-25 06:05 UTC: the tables grow meanwhile",
        "         try: SELECT pg_terminate_backend(4711) ends it",
    ]
