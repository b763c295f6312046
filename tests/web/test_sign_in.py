"""Sign-in by a proxy that the settings name, forged headers, and the token of guests."""

from __future__ import annotations

import asyncio
import socket

import pytest

from digests.stories.marks import load_kept
from tests.web.press import app_of, settings_in, site_of
from tests.web.test_user_corrections import story_paths, token_of
from watcher.errors import SettingsError
from watcher.settings.load import parse_settings
from watcher.store.writer import read
from watcher.web.auth import AuthMiddleware
from watcher.web.serve import Listener

from .conftest import client_of

TOKEN, GUEST, PROXY = "0123456789abcdef0123", "guest-0123456789abcdef", "10.1.2.3"


@pytest.fixture
def guard(site):
    """The site behind a proxy, with a token and one for guests."""
    made = AuthMiddleware(app_of(site).app, token=TOKEN, clock=lambda: 0.0)
    made.guest_token, made.user_header, made.proxies = GUEST, "Remote-User", ("10.1.2.0/24", "::1/128")
    return made


@pytest.mark.parametrize("peer", [PROXY, "::1", "::ffff:10.1.2.9"])
async def test_a_user_whom_a_named_proxy_has_signed_in_needs_no_token(guard, peer):
    client = client_of(guard, peer=peer, **{"Remote-User": "ann", "Host": "news.example.org"})

    assert (await client.get("/archive")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "headers"),
    [("203.0.113.9", [("Remote-User", "ann")]), (PROXY, [("Remote-User", "ann"), ("remote-user", "bob")]),
     (PROXY, [("Remote-User", " ")]), ("203.0.113.9", [("Remote-User", "ann"), ("Authorization", f"Bearer {TOKEN}")]),
     ("203.0.113.9", [("Remote-User", "ann"), ("X-Forwarded-For", PROXY)]), ("not an address", [("Remote-User", "a")])],
)  # fmt: skip
async def test_a_forged_or_doubled_header_is_refused(guard, peer, headers):
    answer = await client_of(guard, peer=peer).get("/archive", headers=headers)

    assert (answer.status_code, "trusted_proxies" in answer.text) == (403, True)


async def test_without_the_header_the_token_is_asked_for_also_from_the_proxy(guard):
    without = await client_of(guard, peer=PROXY).get("/archive")
    with_token = await client_of(guard, peer="203.0.113.9", Authorization=f"Bearer {TOKEN}").get("/archive")
    guard.token = None
    alone = await client_of(guard).get("/archive")

    assert (without.status_code, with_token.status_code, alone.status_code) == (401, 200, 401)


async def test_a_guest_reads_everything_and_changes_nothing(guard, press):
    owner = client_of(guard, peer="203.0.113.9", Authorization=f"Bearer {TOKEN}")
    path = (await story_paths(owner))[0]
    form = {"token": await token_of(owner, path), "keep": "yes"}
    guest = client_of(guard, peer="203.0.113.9", Authorization=f"Bearer {GUEST}")

    pages = [(await guest.get(each)).status_code for each in ("/", path, "/kept", "/kept/feed.atom", "/search?q=quake")]
    refused = await guest.post(f"{path}/keep", data=form)

    assert pages == [200] * 5 and refused.status_code == 403
    assert read(press[1], load_kept) == ()


async def test_an_address_that_guesses_is_held_for_the_token_of_guests_too(guard):
    client = client_of(guard, peer="203.0.113.9")
    for _ in range(10):
        await client.get("/", headers={"Authorization": "Bearer a wrong one"})

    assert (await client.get("/", headers={"Authorization": f"Bearer {GUEST}"})).status_code == 429


async def test_a_guest_has_no_more_guesses_at_the_other_token_than_others(guard):
    client = client_of(guard, peer="203.0.113.9")
    asked = [GUEST if n % 5 == 4 else "a wrong one" for n in range(14)]

    codes = [(await client.get("/icon.svg", headers={"Authorization": f"Bearer {each}"})).status_code for each in asked]

    assert codes[-3:] == [401, 429, 429]


async def test_the_proxy_is_the_other_end_of_the_connection_whatever_it_forwards(press, monkeypatch):
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1")
    settings, engine, folder = press
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    async def ask(proxies: str, forwarded_for: str) -> bytes:
        (folder / "web-token").write_text(TOKEN)
        table = f'trust_user_header = "Remote-User"\ntrusted_proxies = ["{proxies}"]\ntoken = "file:web-token"\n'
        web = settings_in(folder, f'[web]\nlisten = "127.0.0.1:{port}"\n{table}', store_url=settings.store.url).web
        listener = Listener("web", web, app_of(site_of(settings, engine)).app)
        await listener.listen()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"Host: news.example.org\r\nRemote-User: ann\r\nX-Forwarded-For: {forwarded_for}\r\nConnection: close"
        writer.write(f"GET /archive HTTP/1.1\r\n{head}\r\n\r\n".encode())
        line = await reader.readline()
        writer.close()
        await listener.close()
        return line.split()[1]

    assert await ask("127.0.0.1", "203.0.113.9") == b"200"
    assert await ask("203.0.113.9", "203.0.113.9") == b"403"


async def test_each_digest_has_a_page_of_its_own(client):
    short, long = (await client.get("/d/world")), (await client.get("/digest/world"))

    assert (short.status_code, short.text) == (200, long.text)
    assert (await client.get("/d/nobody")).status_code == 404


@pytest.mark.parametrize(
    ("lines", "said"),
    [('trust_user_header = "Remote-User"', "needs trusted_proxies"), ('guest_token = "env:G"', "needs token"),
     ('trust_user_header = "Remote User"\ntrusted_proxies = ["::1"]', "the name of a header"),
     ('trusted_proxies = ["localhost"]', "an IP address or a network")],
)  # fmt: skip
def test_wrong_settings_of_a_sign_in_are_refused_in_words(tmp_path, lines, said):
    with pytest.raises(SettingsError) as refused:
        parse_settings(f"[web]\n{lines}\n", tmp_path / "settings.toml")

    assert any(said in str(problem) for problem in refused.value.problems)
