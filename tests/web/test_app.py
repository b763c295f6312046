"""How pages are made: once for all who ask, a few at once, sent again to nobody who has them."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.patience import PATIENCE_S
from watcher.web.app import (
    AT_ONCE,
    CLIENT_AT_ONCE,
    CLIENT_IN_LINE,
    IN_LINE,
    KEPT_S,
    PageRenderer,
    TooManyRequests,
    _encode_page,
)
from watcher.web.site import PageResponse


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Counted:
    """Makes pages, and counts them; each waits for `go`."""

    def __init__(self, *, go: bool = True, refresh_s: int = 0) -> None:
        self.made = 0
        self.go = threading.Event()
        self.refresh_s = refresh_s
        if go:
            self.go.set()

    def __call__(self) -> PageResponse:
        self.made += 1
        count = self.made
        assert self.go.wait(PATIENCE_S)
        return PageResponse(body=f"page {count}", refresh_s=self.refresh_s)

    async def begun(self, count: int) -> None:
        """Wait until so many pages are being made."""
        async with asyncio.timeout(PATIENCE_S):
            while self.made < count:
                await asyncio.sleep(0.01)


async def test_fifty_who_ask_at_once_cost_one_page():
    pages, page = PageRenderer(Clock()), Counted(go=False)

    asked = [asyncio.create_task(pages.get("/", page, "peer")) for _ in range(50)]
    await page.begun(1)
    page.go.set()
    found = await asyncio.gather(*asked)

    assert page.made == 1 and {made.body for made in found} == {b"page 1"}


async def test_a_page_is_made_anew_when_it_is_too_old_or_asked_for_otherwise():
    clock = Clock()
    pages, page = PageRenderer(clock), Counted()

    await pages.get("/", page, "peer")
    clock.now = KEPT_S - 0.1
    await pages.get("/", page, "peer")
    made_before = page.made
    await pages.get("/other", page, "peer")
    clock.now = KEPT_S + 0.1
    await pages.get("/", page, "peer")

    assert made_before == 1 and page.made == 3


async def test_a_page_that_shows_what_goes_on_is_never_kept():
    pages, page = PageRenderer(Clock()), Counted(refresh_s=4)

    await pages.get("/", page, "peer")
    await pages.get("/", page, "peer")

    assert page.made == 2


async def test_after_a_change_no_page_from_before_is_answered():
    pages, page, slow = PageRenderer(Clock()), Counted(), Counted(go=False)

    await pages.get("/", page, "peer")
    begun = asyncio.create_task(pages.get("/slow", slow, "peer"))  # from before the change, and done after it
    await slow.begun(1)
    await pages.run_change(Counted(), "peer")
    slow.go.set()
    await begun
    await pages.get("/", page, "peer")
    await pages.get("/slow", slow, "peer")

    assert page.made == 2 and slow.made == 2


async def test_whoever_asks_for_more_than_can_be_made_is_turned_away_and_the_others_are_answered():
    pages, page = PageRenderer(Clock()), Counted(go=False)

    asked = [asyncio.create_task(pages.get(n, page, f"peer {n % 5}")) for n in range(AT_ONCE + IN_LINE)]
    await page.begun(AT_ONCE)
    with pytest.raises(TooManyRequests):
        await pages.get("one more", page, "peer")
    with pytest.raises(TooManyRequests):
        await pages.run_change(page, "peer")
    begun = page.made
    page.go.set()
    await asyncio.gather(*asked)

    assert begun == AT_ONCE and page.made == AT_ONCE + IN_LINE
    await pages.get("one more", page, "peer")


async def test_a_client_that_asks_for_many_pages_leaves_a_turn_and_room_for_another():
    pages, page = PageRenderer(Clock()), Counted(go=False)

    asked = [asyncio.create_task(pages.get(n, page, "peer")) for n in range(CLIENT_AT_ONCE + CLIENT_IN_LINE)]
    await asyncio.sleep(0.05)
    with pytest.raises(TooManyRequests):
        await pages.get("one more", page, "peer")
    begun = page.made
    other = await pages.get("other", Counted(), "another peer")
    page.go.set()
    await asyncio.gather(*asked)

    assert begun == CLIENT_AT_ONCE and other.body == b"page 1"
    await pages.get("one more", page, "peer")


async def test_a_reader_who_goes_away_takes_the_page_from_nobody():
    pages, page = PageRenderer(Clock()), Counted(go=False)

    first, second = (asyncio.create_task(pages.get("/", page, "peer")) for _ in range(2))
    await page.begun(1)
    first.cancel()
    page.go.set()

    assert (await second).body == b"page 1" and page.made == 1


def test_the_tag_names_all_that_is_sent():
    tags = {
        _encode_page(reply).headers["ETag"]
        for reply in (PageResponse(body="a"), PageResponse(body="b"), PageResponse(body="a", refresh_s=4))
    }

    assert len(tags) == 3 and _encode_page(PageResponse(body="a")).headers["ETag"] in tags


@pytest.mark.slow  # fills a store
async def test_a_page_that_the_browser_has_is_not_sent_again(client):
    whole = await client.get("/")
    tag = whole.headers["etag"]

    known = await client.get("/", headers={"If-None-Match": f'"other", {tag}'})
    other = await client.get("/", headers={"If-None-Match": '"other"'})

    assert known.status_code == 304 and not known.content and known.headers["etag"] == tag
    assert known.headers["content-security-policy"] == whole.headers["content-security-policy"]
    assert other.status_code == 200 and other.content == whole.content
    assert "etag" not in (await client.get("/nope")).headers


async def test_a_page_that_takes_too_long_is_given_up_and_found_made_when_it_is_asked_for_again(monkeypatch):
    monkeypatch.setattr("watcher.web.app.PAGE_S", 0.05)
    pages, slow, other = PageRenderer(Clock()), Counted(go=False), Counted()

    with pytest.raises(TimeoutError):
        await pages.get("/slow", slow, "peer")
    monkeypatch.setattr("watcher.web.app.PAGE_S", PATIENCE_S)
    beside = await pages.get("/other", other, "peer")
    slow.go.set()
    found = await pages.get("/slow", slow, "peer")

    assert beside.body == b"page 1" and found.body == b"page 1" and slow.made == 1
