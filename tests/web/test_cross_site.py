"""Another web page in the browser of a reader: it gets nothing made, and takes no reader's turn."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import replace

import pytest

from tests.render.tools import CHROMIUM, needs
from tests.web.press import app_of, settings_in, site_of
from watcher.web.app import make_app
from watcher.web.serve import Listener
from watcher.web.site import Page, PageResponse, SitePlugin

from .conftest import client_of

pytestmark = pytest.mark.slow  # starts a browser, fills a store
OPENED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

# What the page of another site does without its visitor, and then a visitor who follows a link.
PAGE = """<!doctype html><title>Elsewhere</title><link rel="stylesheet" href="SITE/asked/style">
<script type="speculationrules">{"prefetch": [{"urls": ["SITE/asked/prefetch"], "eagerness": "immediate"}]}</script>
<img src="SITE/asked/image"><script src="SITE/asked/script"></script><iframe src="SITE/asked/frame"></iframe>
<object data="SITE/asked/object"></object><audio src="SITE/asked/audio"></audio>
<link rel="prefetch" href="SITE/asked/link-prefetch">
<iframe name="inner"></iframe><form action="SITE/asked/form" target="inner"></form>
<script>
document.forms[0].submit();
new EventSource('SITE/asked/events');
new WebSocket('SITE/asked/socket'.replace('http', 'ws'));
const asked = [...Array(40).keys()].map((n) => fetch(`SITE/asked/fetch-${n}`, {mode: 'no-cors'}));
asked.push(fetch('SITE/asked/cors'), fetch('SITE/asked/cookies', {mode: 'no-cors', credentials: 'include'}));
addEventListener('load', () => Promise.allSettled(asked).then(() => { location.href = 'SITE/asked/navigation'; }));
</script>"""


@pytest.fixture
def database() -> str:
    """SQLite alone: a request is judged before any store is asked."""
    return "sqlite"


@needs("chromium")
async def test_of_all_that_another_site_asks_for_only_a_page_that_its_visitor_opens_is_made(press, tmp_path):
    settings, engine, folder = press
    asked: list[str] = []
    opened = asyncio.Event()
    loop = asyncio.get_running_loop()

    def count(_site, ask):
        asked.append(ask.params["way"])
        if ask.params["way"] == "navigation":
            loop.call_soon_threadsafe(opened.set)
        return PageResponse(body="<title>made</title>")

    async def answer(reader, writer):
        body = PAGE.replace("SITE", f"http://127.0.0.1:{port}").encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        if await reader.read(65_536):  # nothing comes if the browser keeps the connection for later
            writer.write(head.encode() + body)
        writer.close()
        await writer.wait_closed()

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    wanted = settings_in(folder, f'[web]\nlisten = "127.0.0.1:{port}"', store_url=settings.store.url)
    site = site_of(wanted, engine)
    listener = Listener("web", wanted.web, app_of(with_pages(site, Page(path="/asked/{way}", answer=count))))
    await listener.listen()
    other = await asyncio.start_server(answer, "127.0.0.1", 0)
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path / 'profile'}", "--host-resolver-rules=MAP elsewhere.test 127.0.0.1",
        "--remote-debugging-port=0", f"http://elsewhere.test:{other.sockets[0].getsockname()[1]}/",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip

    try:
        async with asyncio.timeout(60):
            await opened.wait()
    finally:
        browser.terminate()
        await browser.wait()
        other.close()
        await listener.close()

    assert asked == ["navigation"]


def with_pages(site, *pages: Page):
    return replace(site, plugins=(*site.plugins, SitePlugin(pages=pages)))


async def test_a_field_that_a_page_does_not_read_has_nothing_made_again(site):
    asked = []

    def count(_site, ask):
        asked.append(dict(ask.query))
        return PageResponse(body="made")

    client = client_of(make_app(with_pages(site, Page(path="/asked", answer=count, query=("known",)))))

    for n in range(20):
        assert (await client.get(f"/asked?zz={n}&known=yes&z{n}")).status_code == 200

    assert asked == [{"known": "yes"}]


async def test_searches_that_another_site_opens_leave_the_reader_their_own(site):
    client = client_of(app_of(site))

    opened = [(await client.get(f"/search?q=tents+{n}", headers=OPENED)).status_code for n in range(40)]

    assert opened == [200] * 30 + [429] * 10
    assert (await client.get("/search?q=quake")).status_code == 200


async def test_pages_that_another_site_opens_leave_the_reader_a_turn(site):
    go = threading.Event()

    def wait(_site, _ask):
        assert go.wait(20)
        return PageResponse(body="late")

    client = client_of(make_app(with_pages(site, Page(path="/slow/{n}", answer=wait))))
    opened = [asyncio.create_task(client.get(f"/slow/{n}", headers=OPENED)) for n in range(60)]
    await asyncio.sleep(0.3)
    try:
        own = await asyncio.wait_for(client.get("/icon.svg"), 5)
    finally:
        go.set()
    statuses = [(await each).status_code for each in opened]

    assert own.status_code == 200
    assert statuses.count(200) < 60 and set(statuses) == {200, 503}
