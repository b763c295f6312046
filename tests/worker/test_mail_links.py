"""The mails of a folder are polled as a feed is; what they link is not fetched."""

from __future__ import annotations

import pytest

from tests.worker.fakes import FACTS, feed_xml
from watcher.model import Source
from watcher.net import mailbox
from watcher.store.feeds import sync_sources
from watcher.store.hosts import urls_to_probe
from watcher.store.writer import read, write

TEXT = "\n\n".join(FACTS)
OTHER = "The fair opens its gates on Friday, the mayor said, and it stays open until the end of the month of May."


def letter(number: int, *more: str, text: str = TEXT) -> bytes:
    head = [f"Subject: Letter {number}", f"Message-ID: <{number}@x.example>", "From: News <n@x.example>", *more]
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
    sources = [Source(url=f"maildir://{box.parent}", name="Letters"), Source(url="https://a.example/feed", name="A")]
    write(world.tools.writer.engine, sync_sources, sources, now=world.clock[0])

    await world.drain()

    stored = world.stored()
    assert stored["Letter 1"] == ("https://a.example/0", True)
    assert stored["Letter 2"] == ("mid:2@x.example", True)
    assert "The real one" in stored and len(stored) == 3
    assert not any("b.example" in url for url in world.net.urls())
    assert read(world.tools.writer.engine, urls_to_probe) == ("https://a.example/feed",)
