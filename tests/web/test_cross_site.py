"""Another web page in the browser of a reader: it gets nothing made, and takes no reader's turn."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from tests.render.tools import CHROMIUM, needs
from tests.web.press import app_of, settings_in, site_of
from watcher.web.serve import Listener
from watcher.web.site import Page, PageResponse, SitePlugin

pytestmark = pytest.mark.slow  # starts a browser

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
    pages = SitePlugin(pages=(Page(path="/asked/{way}", answer=count),))
    listener = Listener("web", wanted.web, app_of(replace(site, plugins=(*site.plugins, pages))))
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
