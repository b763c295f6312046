"""The feeds of the site: valid Atom and JSON Feed, named by their pages, with ids that corrections do not change."""

from __future__ import annotations

import json
from urllib.parse import quote

import fastjsonschema
import feedparser
import pytest
from lxml import etree, html

from digests.store.story_rows import load_members
from digests.stories.user_corrections import join, split
from tests.web.press import NOW, app_of, filled, site_of
from watcher.store.writer import read, write

from .conftest import BASE, client_of

QUAKE, CHESS = "0000000000000000", "1000000000000003"  # articles of two stories; the quake is news on both days
TAG = "tag:localhost,2026:watcher"
TEXT, URL = {"type": "string", "minLength": 1}, {"type": "string", "pattern": "^https?://"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
# From the text of jsonfeed.org/version/1.1: what a feed and an item must and may have, of what we write.
ITEM = {
    "type": "object",
    "required": ["id", "title", "content_html", "date_published"],
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "title": TEXT,
        "content_html": {"type": "string"},
        "language": TEXT,
        "date_published": TIME,
        "url": URL,
        "external_url": URL,
        "authors": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["name"]}},
    },
}
check_json_feed = fastjsonschema.compile(
    {
        "type": "object",
        "required": ["version", "title", "items"],
        "additionalProperties": False,
        "properties": {
            "version": {"const": "https://jsonfeed.org/version/1.1"},
            "title": TEXT,
            "home_page_url": URL,
            "feed_url": URL,
            "language": TEXT,
            "items": {"type": "array", "items": ITEM, "maxItems": 50},
        },
    }
)


@pytest.fixture(scope="module")
def press(tmp_path_factory):
    settings, engine = filled(tmp_path_factory.mktemp("feeds"), digest='watch = ["Tarvola"]')
    yield settings, engine
    engine.dispose()


@pytest.fixture
def client(press):
    return client_of(app_of(site_of(*press)))


async def get_feed(client, path: str, query: str = "") -> list[str]:
    """Check the feed at `path` in both forms, and return the ids of its entries, which are the same in both."""
    as_json, as_atom = await client.get(f"{path}.json{query}"), await client.get(f"{path}.atom{query}")
    assert (as_json.status_code, as_atom.status_code) == (200, 200), as_json.text
    assert as_json.headers["content-type"] == "application/feed+json; charset=utf-8"
    assert as_atom.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed, root, parsed = as_json.json(), etree.fromstring(as_atom.content), feedparser.parse(as_atom.content)
    check_json_feed(feed)
    assert feed["feed_url"] == f"{BASE}{path}.json{query}" and feed["home_page_url"].startswith(BASE)
    assert parsed.bozo is False and parsed.version == "atom10"
    for element in (root, *root.findall("{*}entry")):
        for name in ("id", "title", "updated"):
            assert [bool(each.text) for each in element.findall(f"{{*}}{name}")] == [True], name
    ids = [item["id"] for item in feed["items"]]
    assert ids == [entry.id for entry in parsed.entries] and len(set(ids)) == len(ids)
    assert [item["url"] for item in feed["items"]] == [entry.link for entry in parsed.entries]
    assert {each.href for each in parsed.feed.links if each.rel == "self"} == {f"{BASE}{path}.atom{query}"}
    for item in feed["items"]:
        assert not html.fromstring(item["content_html"]).xpath("//script | //img | //iframe | //style")
    return ids


@pytest.mark.slow
async def test_a_page_names_its_feeds_and_each_is_valid_and_sent_once(client):
    stories = html.fromstring((await client.get("/")).text).xpath("//h3/a/@href")
    found = {}
    for page in ("/", stories[0], "/search?q=Tarvola&since=7d"):
        for link in html.fromstring((await client.get(page)).text).xpath("//head/link[@rel='alternate']"):
            found[link.get("href")] = link.get("title")
    assert found.pop("/opds.xml")
    paths = {href.replace(".atom", ".json").replace("%20", "+") for href in found}

    assert "/digest/world/feed.atom" in found and f"{stories[0]}/feed.atom" in found
    assert found["/digest/world/feed.atom?watch=Tarvola"] == "World Digest: Tarvola"
    assert "/search/feed.json?q=Tarvola&since=7d" in found
    assert any("?section=" in href for href in found) and len(found) == 2 * len(paths)
    for path in paths:
        assert await get_feed(client, *path.split(".json")), path
        first = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304 and not again.content


@pytest.mark.slow
async def test_joining_and_splitting_stories_changes_no_id_of_an_entry(press):
    settings, engine = press

    def asks():
        return client_of(app_of(site_of(settings, engine)))  # without the pages that are kept for two seconds

    chess, quake = (read(engine, load_members, [key])[key].story_id for key in (CHESS, QUAKE))
    section = (await asks().get("/")).text.partition("?section=")[2].partition('"')[0]
    feeds = [
        ("/digest/world/feed", ""),
        ("/digest/world/feed", "?watch=Tarvola"),
        ("/digest/world/feed", f"?section={quote(section.replace('%20', ' '))}".replace("%20", "+")),
        ("/search/feed", "?q=Tarvola"),
    ]
    before = [await get_feed(asks(), *each) for each in feeds]
    of_chess, of_quake = [await get_feed(asks(), f"/story/{each}/feed") for each in (chess, quake)]

    assert {f"{TAG}/world/2026-11-2{day}/{quake}" for day in (4, 5)} <= set(before[1])
    assert of_chess == [f"{TAG}/article/{CHESS}"] and len(of_quake) == 4  # two reports a day, without the copies
    write(engine, join, chess, quake, now=NOW)
    assert [await get_feed(asks(), *each) for each in feeds] == before
    for story in (chess, quake):  # the URL of the story that is gone still leads to its reports
        joined = (await asks().get(f"/story/{story}/feed.json")).json()
        assert {item["id"] for item in joined["items"]} == {*of_chess, *of_quake}
        assert f"/story/{story}/feed.json" in joined["feed_url"]
    own = read(engine, load_members, [QUAKE])[QUAKE].story_id
    write(engine, split, own, [CHESS], now=NOW)
    assert [await get_feed(asks(), *each) for each in feeds] == before


@pytest.mark.parametrize(
    "query",
    ['"><script>alert(1)</script>', "'; DROP TABLE articles; --", '") OR text:*', "*" * 900, "\0\x1b[31m\ufffe Tarvola",
     "]]>&lt;/feed> Tarvola", "a " * 500],
)  # fmt: skip
async def test_a_hostile_query_gives_a_valid_feed_or_a_plain_error(client, query):
    found = [await client.get(f"/search/feed.{form}", params={"q": query}) for form in ("atom", "json")]

    assert {each.status_code for each in found} <= {200, 404} and found[0].status_code == found[1].status_code
    if found[0].status_code == 404:
        assert all("needs words to search for" in each.text for each in found)
        return
    root, feed = etree.fromstring(found[0].content), json.loads(found[1].content)
    check_json_feed(feed)
    assert root.findtext("{*}title").startswith("Search: ") and b"<script" not in found[0].content
    assert len(feed["title"]) <= 300


@pytest.mark.parametrize(
    ("path", "words"),
    [("/digest/moon/feed.json", "no digest"), ("/digest/world/feed.rss", "ends with feed.atom or feed.json"),
     ("/digest/world/feed.atom?section=Moon", "do not have this section"),
     ("/digest/world/feed.atom?watch=Moon", "This phrase is not"), ("/story/s0/feed.atom", "there is no story"),
     ("/search/feed.json", "needs words")],
)  # fmt: skip
async def test_a_feed_that_does_not_exist_says_why(client, path, words):
    found = await client.get(path)

    assert found.status_code == 404 and words in found.text


@pytest.mark.parametrize("form", ["atom", "json"])
async def test_a_feed_that_will_have_entries_is_empty_until_then(tmp_path, form):
    more = '[[digests]]\nname = "other"\nsections = ["Europa"]\n'
    settings, engine = filled(tmp_path, more)
    asks = client_of(app_of(site_of(settings, engine)))

    for path in ("other", "other?section=Europa", "world?section=Stories+you+follow"):
        name, _, query = path.partition("?")
        found = await asks.get(f"/digest/{name}/feed.{form}?{query}")
        assert found.status_code == 200 and b"<entry" not in found.content and b'"id"' not in found.content, path
    engine.dispose()


@pytest.mark.slow
async def test_feeds_ask_for_the_token_and_link_the_host_that_was_asked(tmp_path):
    (tmp_path / "web-token").write_text("0123456789abcdef0123", encoding="utf-8")
    settings, engine = filled(tmp_path, more='[web]\ntoken = "file:web-token"\n')
    client = client_of(app_of(site_of(settings, engine)))
    given = {"Authorization": "Bearer 0123456789abcdef0123"}
    paths = ("/feed.json", "/search/feed.json?q=Tarvola")

    assert [(await client.get(path)).status_code for path in paths] == [401, 401]
    for host, base in (("news.example:8420", "http://news.example:8420/"), ('a"><x', None), ("[::1", None)):
        for path in paths:
            answer = await client.get(path, headers={**given, "Host": host})
            assert answer.status_code == 200
            check_json_feed(answer.json())
            assert base is None or answer.json()["feed_url"].startswith(base)
    engine.dispose()
