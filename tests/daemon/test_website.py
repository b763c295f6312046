"""The site beside the daemon's work."""

from __future__ import annotations

import http.client
import signal
import socket

import pytest
from sqlalchemy import text

from tests.cli.site import rss
from watcher.daemon.website import Website
from watcher.settings.daemon import WEB_LISTEN, place
from watcher.settings.load import settings_model
from watcher.store.open import connect
from watcher.store.writer import write

HEAD = """[store]
url = "sqlite:///w.db"
[semantic]
embedder = "none"
[fetch]
allow_private = ["127.0.0.0/8"]
[web]
listen = "127.0.0.1:{}"
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port: int, path: str) -> tuple[int, str]:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    asked.request("GET", path)
    answer = asked.getresponse()
    told = answer.status, answer.read().decode()
    asked.close()
    return told


@pytest.mark.slow
def test_the_daemon_serves_the_site_and_takes_new_settings(site, write_settings, start):
    site.feed("/feed.xml", rss())
    port, other = free_port(), free_port()
    daemon = start(write_settings({"Post": site.url("/feed.xml")}, head=HEAD.format(port)))
    daemon.wait_for("polled")
    daemon.wait_for("serving")

    assert "No edition yet" in get(port, "/")[1]
    assert "Post" in get(port, "/sources")[1]
    assert get(port, "/healthz")[0] == 200 and "watcher_polls_total" in get(port, "/metrics")[1]
    write_settings({"Post": site.url("/feed.xml"), "Other": site.url("/other.xml")}, head=HEAD.format(other))
    daemon.send(signal.SIGHUP)
    daemon.wait_for("serving", times=2)
    assert "Other" in get(other, "/sources")[1]
    with pytest.raises(ConnectionRefusedError):
        get(port, "/")
    daemon.send(signal.SIGTERM)
    assert daemon.ended() == 0


@pytest.mark.slow
def test_an_address_that_is_taken_is_a_fault_where_it_was_asked_for(write_settings, start):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        daemon = start(write_settings({}, head=HEAD.format(port)))
        daemon.wait_for("job_failed job=web")
        daemon.send(signal.SIGTERM)
        assert daemon.ended() == 0


@pytest.mark.slow
def test_a_daemon_whose_store_a_newer_watcher_has_taken_says_so_and_what_to_do(write_settings, start, store_url):
    port = free_port()
    daemon = start(write_settings({}, head=HEAD.format(port)))
    daemon.wait_for("serving")
    engine = connect(store_url)
    write(engine, lambda c: c.execute(text("UPDATE watcher_schema SET version_num = '9999'")))
    engine.dispose()

    status, said = get(port, "/")
    daemon.send(signal.SIGHUP)
    daemon.wait_for("reload_failed")
    daemon.send(signal.SIGTERM)

    assert daemon.ended() == 0
    assert status == 503 and "newer Watcher (watcher_schema 9999" in said
    assert said.splitlines()[1:] == ["try: update this one and start it anew, or use another store"]
    (line,) = [line for line in daemon.log.splitlines() if "reload_failed" in line]
    assert "newer Watcher (watcher_schema 9999" in line and 'mend="update this one and start it anew' in line


async def test_the_usual_address_being_taken_is_said_once_and_is_no_fault(caplog):
    site = Website(settings_model()(), {})
    try:
        taken = socket.create_server(place(WEB_LISTEN))
    except OSError:
        taken = None  # another process has it: as good

    await site.listen()
    await site.listen()

    if taken:
        taken.close()
    await site.close()
    assert [record.getMessage().split()[0] for record in caplog.records] == ["not_serving"]
