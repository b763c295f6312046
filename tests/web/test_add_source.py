"""A source is added in the browser: what is found, what is saved, and who may do it."""

from __future__ import annotations

import re
import tomllib

import pytest
from lxml import html

from tests.cli.site import rss, serving
from tests.patience import PATIENCE_S
from tests.web.press import app_of, site_of
from watcher.settings.load import load_settings_file
from watcher.store.feeds import feed_state
from watcher.store.writer import read
from watcher.web import app, found_sources
from watcher.web.auth import AuthMiddleware

from .conftest import client_of

pytestmark = pytest.mark.slow  # starts a site, and a process that reads its feeds

TOKEN, GUEST = "0123456789abcdef0123", "guest-0123456789abcdef"
CARD = "<article class='card'><h2><a href='/2026/news-{0}'>The council of Marlow meets on item {0}</a></h2></article>"
LIST = "".join(map(CARD.format, range(8)))
FROM_ANOTHER_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture
def database() -> str:
    """SQLite alone: a source is saved to the file, and the store takes it up as after any other change of it."""
    return "sqlite"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine may take longer to start the process that reads a feed than a reader waits."""
    for place, name in ((found_sources, "LAST_REQUEST_S"), (found_sources, "LOOK_S"), (app, "PAGE_S")):
        monkeypatch.setattr(place, name, PATIENCE_S)


@pytest.fixture
def outlet():
    """An outlet whose page declares a feed."""
    with serving() as made:
        made.page("/", "<link rel=alternate type=application/rss+xml href=/feed><p>News")
        made.feed("/feed", rss("The Post"))
        yield made


@pytest.fixture
def owned(press, outlet):
    """The site of the press with a token and no pause between two requests."""
    _, engine, folder = press
    path = folder / "settings.toml"
    text = path.read_text(encoding="utf-8")
    more = f"[web]\ntoken = 'file:{folder}/token'\n[fetch]\nhost_delay = '0s'\nallow_private = ['{outlet.place}']\n"
    path.write_text(f"# my own words\n{more}{text}", encoding="utf-8")
    (folder / "token").write_text(TOKEN)
    return site_of(load_settings_file(path), engine)


@pytest.fixture
def owner(owned):
    return client_of(app_of(owned), Authorization=f"Bearer {TOKEN}")


def fields_of(page: str, path: str) -> dict[str, str]:
    """Return the fields of the form on a page that leads to `path`."""
    form = next(each for each in html.fromstring(page).forms if each.action == path)
    return {name: value or "" for name, value in form.form_values()}


async def look(client, address: str):
    form = fields_of((await client.get("/sources/add")).text, "/sources/add")
    return await client.post("/sources/add", data=form | {"url": address})


async def test_a_feed_is_found_shown_and_saved_and_nothing_else_in_the_file_changes(owned, owner, outlet):
    path, told = owned.settings.path, []
    before = path.read_text(encoding="utf-8")
    owned.on_settings = lambda: told.append(1)

    page = (await look(owner, outlet.url("/"))).text
    unsaved = path.read_text(encoding="utf-8")
    saved = await owner.post("/sources/add/save", data=fields_of(page, "/sources/add/save") | {"name": 'The "Post"'})
    after = path.read_text(encoding="utf-8")
    source = (await owner.get(saved.headers["location"])).text

    words = " ".join(html.fromstring(page).text_content().split())
    assert "declared by the page" in words and "RSS 2.0, 3 entries" in words and "language en" in words
    assert "Story number 2 of the day" in words and "0 of 3 are full" in words
    assert unsaved == before and outlet.asked == ["/", "/feed"]
    row = ["[[sources]]", f'url = "{outlet.url("/feed")}"', 'name = "The \\"Post\\""', 'language = "en"']
    assert after == before + "\n" + "\n".join(row) + "\n"
    assert "Added to the settings file" in source and "The source is due" in source and told == [1]
    assert read(owned.engine, feed_state, outlet.url("/feed")).feed.source.name == 'The "Post"'


async def test_a_page_without_a_feed_is_saved_with_the_selectors_of_its_list(owned, owner, outlet):
    outlet.page("/", f"<title>Marlow Herald</title><main>{LIST}</main>")
    del outlet.answers["/feed"]

    page = (await look(owner, outlet.url("/"))).text
    saved = await owner.post("/sources/add/save", data=fields_of(page, "/sources/add/save"))

    assert "the list of articles on the page" in page and saved.status_code == 303
    row = tomllib.loads(owned.settings.path.read_text(encoding="utf-8"))["sources"][-1]
    assert row["url"] == outlet.url("/") and row["items"]


async def test_a_link_or_a_bookmarklet_fills_the_form_and_does_nothing(owned, owner, outlet):
    before = owned.settings.path.read_bytes()

    page = (await owner.get("/sources/add", params={"url": outlet.url("/") + '?a="><b>'})).text

    assert fields_of(page, "/sources/add")["url"] == outlet.url("/") + '?a="><b>'
    (link,) = html.fromstring(page).xpath("//a[text()='Add to Watcher']/@href")
    assert (
        link
        == "javascript:location.href=%22http://127.0.0.1:8420/sources/add?url=%22+encodeURIComponent(location.href)"
    )
    assert outlet.asked == [] and owned.settings.path.read_bytes() == before


@pytest.mark.parametrize(
    ("address", "words"),
    [("nothing here", "not the address of a site or feed"), ("maildir:/home/ann/Mail", "on the web"),
     ("file:///etc/passwd", "not the address of a site or feed"), ("http://127.0.0.1:1/", "a private address"),
     ("http://[::1]/", "a private address"), ("http://169.254.169.254/latest", "a private address")],
)  # fmt: skip
async def test_what_is_not_on_the_web_is_not_requested(owner, address, words):
    assert words in (await look(owner, address)).text


async def test_a_feed_that_is_a_source_already_is_not_saved_twice(owned, owner, outlet):
    form = fields_of((await look(owner, outlet.url("/feed"))).text, "/sources/add/save")
    await owner.post("/sources/add/save", data=form)
    before = owned.settings.path.read_bytes()

    again = await owner.post("/sources/add/save", data=form)
    page = (await look(owner, outlet.url("/feed"))).text

    assert again.status_code == 400 and "already in the settings: The Post" in again.text
    assert "It is a source already" in page and "/sources/add/save" not in page
    assert owned.settings.path.read_bytes() == before


@pytest.mark.parametrize(
    "fields",
    [{"url": "maildir:/home/ann/Mail"}, {"url": "javascript:alert(1)"}, {"url": ""}, {"language": "no language"},
     {"name": "x" * 300}, {"items": "a[["}, {"url": "https://a.example/\n[smtp]\nhost = 'evil.example'"}],
)  # fmt: skip
async def test_a_form_that_is_no_source_of_the_web_changes_nothing(owned, owner, fields):
    before = owned.settings.path.read_bytes()
    form = {"token": owned.form_token, "url": "https://a.example/feed"} | fields

    answer = await owner.post("/sources/add/save", data=form)

    assert (answer.status_code, owned.settings.path.read_bytes()) == (400, before)


async def test_fields_that_the_form_does_not_have_are_not_saved(owned, owner):
    form = {"url": "https://a.example/feed", "proxy": "http://evil.example", "headers": "x", "cookie": "env:HOME"}

    await owner.post("/sources/add/save", data=form | {"token": owned.form_token})

    assert tomllib.loads(owned.settings.path.read_text(encoding="utf-8"))["sources"][-1] == {"url": form["url"]}


@pytest.mark.parametrize("path", ["/sources/add", "/sources/add/save"])
async def test_strangers_guests_other_sites_and_old_forms_are_refused(owned, outlet, path):
    guard = AuthMiddleware(app_of(owned).app, token=TOKEN)
    guard.guest_token, guard.user_header, guard.proxies = GUEST, "Remote-User", ("10.1.2.3",)
    form, before = {"token": owned.form_token, "url": outlet.url("/feed")}, owned.settings.path.read_bytes()
    key = {"Authorization": f"Bearer {TOKEN}"}

    async def status(peer: str = "203.0.113.9", form=form, **headers: str) -> int:
        return (await client_of(guard, peer=peer, **headers).post(path, data=form)).status_code

    refused = [
        await status(),
        await status(Authorization=f"Bearer {GUEST}"),
        await status(**{"Remote-User": "ann"}),
        await status(**key, Origin="https://evil.example"),
        await status(**key, **FROM_ANOTHER_SITE),
        await status(**key, form=form | {"token": "old"}),
    ]  # fmt: skip
    assert (refused, outlet.asked) == ([401, 403, 403, 403, 403, 403], [])
    assert owned.settings.path.read_bytes() == before
    user = {"peer": "10.1.2.3", "Remote-User": "ann", "Origin": "http://127.0.0.1:8420"}
    assert await status(**user) in (200, 303)


async def test_without_a_token_the_page_says_how_to_add_a_source_and_the_form_is_refused(client, site, outlet):
    page = (await client.get("/sources/add")).text
    form = {"token": site.form_token, "url": outlet.url("/feed")}
    answers = [await client.post(path, data=form) for path in ("/sources/add", "/sources/add/save")]

    assert "[web] token" in page and "watcher sources add" in page and "<form" not in page
    assert [answer.status_code for answer in answers] == [400, 400] and outlet.asked == []


async def test_a_site_that_does_not_answer_in_time_is_named_and_keeps_no_other_waiting(owner, outlet, monkeypatch):
    monkeypatch.setattr(found_sources, "LOOK_S", 0.0)

    late = await look(owner, outlet.url("/feed"))
    with found_sources._looking:
        busy = await look(owner, outlet.url("/feed"))

    assert late.status_code == busy.status_code == 400
    assert "did not answer within 0 s" in late.text and "another address is being read" in busy.text


async def test_a_client_may_look_at_few_addresses_a_minute(owner):
    answers = [(await look(owner, "nothing here")).status_code for _ in range(7)]

    assert answers == [400] * 6 + [429]


async def test_the_copy_of_the_site_has_no_form_for_sources(press, owned):
    copy = client_of(app_of(site_of(owned.settings, owned.engine, is_static=True)), Authorization=f"Bearer {TOKEN}")

    assert not re.search("sources/add", (await copy.get("/sources")).text)
