"""The mails of a folder are polled as a feed is; what they link is not fetched; a bad one blocks no other."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from tests.feeds.test_mail import nested
from tests.imap_server import DOVECOT, PASSWORD, REASON, imap_server
from tests.worker.fakes import FACTS, feed_xml
from watcher.failure_messages import Reason, TaskKind
from watcher.model import MAX_MAIL_BYTES, Feed, FolderMails, Source
from watcher.net import mailbox
from watcher.settings.request_options import RequestOptions
from watcher.settings.types import Secret
from watcher.store.feeds import feed_states, sync_sources
from watcher.store.outages import urls_to_probe
from watcher.store.writer import read, write
from watcher.worker.process_pool import Pool, WorkerFailed

TEXT = "\n\n".join(FACTS)
OTHER = "The fair opens its gates on Friday, the mayor said, and it stays open until the end of the month of May."


def letter(number: int, *more: str, text: str = TEXT) -> bytes:
    head = [f"Subject: Letter {number}", f"Message-ID: <{number}@x.example>", "From: News <n@a.example>", *more]
    return ("\n".join([*head, "Date: Tue, 24 Nov 2026 05:00:00 +0000"]) + f"\n\n{text}\n").encode()


@pytest.fixture
def box(tmp_path, monkeypatch):
    monkeypatch.setattr(mailbox, "SETTLED_NS", 0)
    for part in ("new", "cur"):
        (tmp_path / "box" / part).mkdir(parents=True)
    return tmp_path / "box" / "new"


@pytest.mark.slow
async def test_the_link_of_a_mail_is_shown_and_neither_fetched_nor_its_identity(world, box):
    world.net.serve("https://a.example/feed", feed_xml("a.example", ["The real one"], "The ferry runs again. " * 9))
    (box / "1").write_bytes(letter(1, "Archived-At: <https://a.example/0>"))
    (box / "2").write_bytes(letter(2, text=OTHER))
    (box / "3").write_bytes(letter(3, "Archived-At: <https://b.example/3>", text="Too short."))
    sources = [
        Source(url=f"maildir://{box.parent}?from=@a.example", name="Letters"),
        Source(url="https://a.example/feed", name="A"),
    ]
    write(world.tools.writer.engine, sync_sources, sources, now=world.clock[0])

    await world.drain()

    stored = world.stored()
    assert stored["Letter 1"] == ("https://a.example/0", True)
    assert stored["Letter 2"] == ("mid:2@x.example", True)
    assert "The real one" in stored and len(stored) == 3
    assert not any("b.example" in url for url in world.net.urls())
    assert read(world.tools.writer.engine, urls_to_probe) == ("https://a.example/feed",)


DEEP = nested(b"boundary*=us-ascii''", 480, MAX_MAIL_BYTES)
DEEP_FAULT = 'the mail "Deep" from a@evil.example is left out: its parts are in more than 10 levels'


async def poll(world) -> tuple[Feed, tuple[str, ...]]:
    await world.drain()
    (state,) = read(world.tools.writer.engine, feed_states)
    world.clock[0] = state.feed.next_poll_at
    return state.feed, state.faults


@pytest.mark.slow
async def test_a_mail_that_is_too_deep_is_named_and_the_letters_around_it_arrive(world, box, caplog):
    write(
        world.tools.writer.engine, sync_sources, [Source(url=f"maildir://{box.parent}", name="L")], now=world.clock[0]
    )
    (box / "1").write_bytes(letter(1))
    (box / "2").write_bytes(DEEP)
    (box / "3").write_bytes(letter(3, text=OTHER))

    with caplog.at_level(logging.WARNING, logger="watcher.worker"):
        first, faults = await poll(world)
    caplog.clear()
    (box / "4").write_bytes(letter(4, text=f"{OTHER} {OTHER}"))
    second, later = await poll(world)

    assert set(world.stored()) == {"Letter 1", "Letter 3", "Letter 4"}
    assert (first.failures, second.failures) == (0, 0) and first.validators != second.validators
    assert faults == (DEEP_FAULT,) and later == ()
    assert "mail_fault" not in caplog.text


@pytest.mark.slow
@pytest.mark.skipif(DOVECOT is None, reason=REASON)
async def test_a_mail_that_is_too_deep_is_passed_on_an_imap_server_too(world, monkeypatch, caplog):
    monkeypatch.setenv("IMAP_PASSWORD", PASSWORD)
    with imap_server() as server:
        url = server.url()
        options = RequestOptions(url=url, password=Secret(kind="env", name="IMAP_PASSWORD"))
        world.tools = replace(world.tools, request_options={url: options})
        write(world.tools.writer.engine, sync_sources, [Source(url=url, name="L")], now=world.clock[0])
        for mail in (letter(1), DEEP, letter(3, text=OTHER)):
            server.deliver(mail)

        first, faults = await poll(world)
        server.deliver(letter(4, text=f"{OTHER} {OTHER}"))
        second, later = await poll(world)

    assert set(world.stored()) == {"Letter 1", "Letter 3", "Letter 4"}
    assert (first.failures, second.failures) == (0, 0)
    assert faults == (DEEP_FAULT,) and later == ()
    assert "mail_fault" in caplog.text and "Deep" in caplog.text


class Fragile(Pool):
    """A pool whose process is lost whenever it gets a certain mail."""

    async def run(self, function, *args, limit_s):
        folders = (arg for arg in args if isinstance(arg, FolderMails))
        if any(b"Subject: Letter 2" in mail for folder in folders for mail in folder.mails):
            raise WorkerFailed(Reason(TaskKind.TOO_MUCH_MEMORY, n=512))
        return await super().run(function, *args, limit_s=limit_s)


@pytest.mark.slow
async def test_a_mail_that_ends_its_process_is_named_and_the_letters_around_it_arrive(world, box):
    pool = Fragile(workers=1)
    world.tools = replace(world.tools, feed_pool=pool)
    write(
        world.tools.writer.engine, sync_sources, [Source(url=f"maildir://{box.parent}", name="L")], now=world.clock[0]
    )
    for number, text in enumerate((TEXT, TEXT, OTHER), 1):
        (box / str(number)).write_bytes(letter(number, text=text))

    feed, faults = await poll(world)
    pool.close()

    assert set(world.stored()) == {"Letter 1", "Letter 3"}
    assert (feed.failures, bool(feed.validators.etag)) == (0, True)
    assert faults == ('the mail "Letter 2" from n@a.example is left out: it took more than 512 MiB of memory',)
