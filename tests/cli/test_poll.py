"""`watcher poll` beside a process that holds a host: what is left to it is told, and what keeps that from ending."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, update

from tests.cli.site import rss, serving
from tests.tools import claim_hosts
from watcher.cli.main import run_command_line
from watcher.cli.poll import run_poll
from watcher.errors import StoreError
from watcher.settings.load import load_settings_file
from watcher.store.engine import open_store
from watcher.store.schema import feeds
from watcher.store.writer import write

pytestmark = pytest.mark.slow  # polls over loopback
SETTINGS = """
[store]
url = "sqlite:///{folder}/watcher.db"
[semantic]
embedder = "none"
[fetch]
allow_private = ["127.0.0.0/8"]
articles = false
[[sources]]
name = "Post"
url = "{url}"
"""
OTHER = f"{socket.gethostname()}:{os.getppid()}"  # a process that runs


@pytest.fixture
def settings(tmp_path):
    """Settings whose one source is due, and its host held by another process."""
    with serving() as site:
        site.feed("/feed.xml", rss())
        path = tmp_path / "settings.toml"
        path.write_text(SETTINGS.format(folder=tmp_path, url=site.url("/feed.xml")))
        assert run_command_line(["poll", "--no-pages", "--config", str(path)]) == 0
        now = datetime.now(UTC)
        engine = open_store(load_settings_file(path).store.url)
        write(engine, lambda c: c.execute(update(feeds).values(next_poll_at=now)))
        write(engine, claim_hosts, worker=OTHER, now=now, limit=9, pages_too=False)
        engine.dispose()
        yield path


@pytest.mark.parametrize("more", [(), ("--all",)])
def test_a_source_whose_host_another_process_visits_is_named(settings, capsys, more):
    capsys.readouterr()

    run_command_line(["poll", "--no-pages", *more, "--config", str(settings)])
    told = capsys.readouterr().out
    run_command_line(["poll", "--no-pages", *more, "--json", "--config", str(settings)])
    as_json = json.loads(capsys.readouterr().out)

    assert told == f"  left to another process, which is visiting its host ({OTHER}): Post\n"
    assert (as_json["feeds"], as_json["visited"]) == (0, [{"source": "Post", "by": OTHER}])


async def test_a_store_that_cannot_be_written_is_named_where_another_process_waits_for_it(settings):
    given = load_settings_file(settings)
    engine = open_store(given.store.url)

    @event.listens_for(engine, "checkout")
    def leave_no_room(connection, _record, _proxy):
        connection.execute("PRAGMA max_page_count=1").close()

    with pytest.raises(StoreError, match="the disk is full"):
        await run_poll(given, engine, everything=False, quiet=True, pages=False)
    engine.dispose()
