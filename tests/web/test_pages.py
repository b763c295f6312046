"""The pages: what each says, and that each leads on."""

from __future__ import annotations

import re
import tracemalloc
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from lxml import html
from sqlalchemy import insert, text

from digests.edition.schedule import EditionRequest
from digests.settings.digests import digests_of
from digests.store.editions import claim
from digests.store.keys import DAILY, EditionKey, parse_slot
from digests.store.schema import stories, story_articles
from digests.web.editions import format_edition_date
from digests.web.story import _spark
from tests.edition.factory import make_edition
from tests.tools import add_article
from tests.translate.models import models
from tests.web.press import DAY, NEWS, NOW, TEXTS, app_of, filled, site_of
from watcher.features.extract import encode, extract_features
from watcher.model import Article, PackedFeatures
from watcher.store.feeds import sync_sources
from watcher.store.writer import write
from watcher.web.app import _render_path

from .conftest import client_of

__all__ = ["models"]
pytestmark = pytest.mark.slow  # fills a store a case

FORMS = {"md": "text/markdown", "json": "application/json", "eml": "message/rfc822", "txt": "text/plain"}


def links(page: str, beginning: str) -> list[str]:
    return [href for href in html.fromstring(page).xpath("//a/@href") if href.startswith(beginning)]


async def test_today_leads_to_each_story_and_that_to_its_articles_and_their_neighbours(client):
    today = await client.get("/")
    stories = links(today.text, "/story/")

    assert "World Digest" in today.text and "No. 2" in today.text
    assert len(stories) >= 2
    quake = next(page for page in [(await client.get(path)).text for path in stories] if "second quake" in page)
    assert "Harbour Post" in quake and "Prairie Ledger" in quake and "full text" in quake
    assert "Coverage" in quake and "Why it is in this story" in quake
    page = html.fromstring(quake)
    times = page.xpath("//section[@aria-labelledby='all_']/ol/li/time/@datetime")
    assert len(times) >= 2 and times == sorted(times)  # one list, in order of time
    assert quake.count('href="/article/') == len(set(links(quake, "/article/"))) and not page.xpath("//svg")
    assert page.xpath("//p[@class='facts']/time")[-1].text.endswith(" CET")
    assert page.xpath("//details[not(@open)]//input[@type='checkbox']") == page.xpath("//input[@type='checkbox']") != []
    article = (await client.get(links(quake, "/article/")[0])).text
    assert "<p>" in article and "Henrik Oster" in article
    assert "teasers: 1 piece" in article and "Read also: ten walks" in article
    assert len(links(article, "/article/")) >= 2 and "probability 0." in article


async def test_a_headline_leads_to_its_story_and_the_outlets_name_to_the_outlet(press, client):
    settings, engine, _ = press
    page = html.fromstring((await client.get("/")).text)
    write(engine, lambda connection: connection.execute(text("DELETE FROM stories")))
    without_stories = html.fromstring((await client_of(app_of(site_of(settings, engine))).get("/")).text)

    assert all(href.startswith("/story/") for href in page.xpath("//h3/a/@href"))
    assert page.xpath("//p[@class='cover']/a[starts-with(@href, 'http')]")
    assert all(href.startswith("http") for href in without_stories.xpath("//h3/a/@href"))


@pytest.mark.parametrize(
    ("path", "current"),
    [("/", "Today"), ("/digest/world/2026-11-24", "Archive"), ("/sources", "Sources"), ("/sources/1", "Sources"),
     ("/search", "Search"), ("/archive", "Archive"), ("/coverage", "Coverage")],
)  # fmt: skip
async def test_the_navigation_names_the_product_and_marks_where_one_is(client, path, current):
    page = html.fromstring((await client.get(path)).text)

    assert page.xpath("//nav[@aria-label='Site']/a/text()")[0] == "Watcher"
    assert page.xpath("//nav[@aria-label='Site']/a[@aria-current]/text()") == [current]


async def test_the_page_of_a_translated_story_shows_its_original_and_what_translated_it(tmp_path, models):
    rain = (
        "Chuva deixa 14 mortos em Lisboa. A chuva forte deixou 14 mortos em Lisboa na segunda-feira, disse a polícia."
    )
    more = f'[translate]\nengine = "firefox"\nmodels = "{models}"'
    settings, engine = filled(tmp_path, more, days=((0, [("Jornal", "pt", "PT", rain)]),))
    async with client_of(app_of(site_of(settings, engine))) as client:
        (story, *_) = links((await client.get("/")).text, "/story/")
        page, archive = (await client.get(story)).text, (await client.get("/archive")).text

    said = html.fromstring(page)
    assert said.xpath("//h1/span[not(@lang)]/text()") == ["Rain leaves 14 dead in Lisbon"]
    originals = said.xpath("//small/span[@lang='pt']/text()")
    assert [text.split(" em ")[0] for text in originals] == ["Chuva deixa 14 mortos", "A chuva forte deixou 14 mortos"]
    assert page.count("Translated from Portuguese by a Firefox translation model; original") == 2
    assert "Rain leaves 14 dead in Lisbon" in archive
    engine.dispose()


def test_a_sparkline_has_a_bar_an_hour_from_eight_reports_on_and_names_the_busiest():
    reports = [NOW + timedelta(minutes=20 * n) for n in range(8)]

    assert _spark(reports[1:], UTC) is None
    assert _spark(reports, ZoneInfo("Europe/Vienna")) == {"heights": [14, 14, 9], "most": "3 on 25 Nov, 08:00–09:00"}
    long = _spark([*reports, NOW + timedelta(hours=95)], UTC)
    assert long == {"heights": [14, *[0] * 22, 2], "most": "8 on 25 Nov, 07:00–11:00"}


async def test_the_page_of_a_story_tells_it_as_the_last_edition_with_it_did_also_if_later_ones_do_not(tmp_path):
    settings, engine = filled(tmp_path, days=((1, TEXTS), (0, NEWS[3:])))
    async with client_of(app_of(site_of(settings, engine))) as client:
        (path,) = html.fromstring((await client.get("/digest/world/2026-11-24")).text).xpath("//h3/a/@href")
        today, page = (await client.get("/")).text, html.fromstring((await client.get(path)).text)
    engine.dispose()

    assert path not in links(today, "/story/")
    assert "spent the night in tents" in page.xpath("string(//p[@class='summary'])")
    assert page.xpath("//p[@class='from']/a/text()") == ["World Digest no. 1 of 24 November 2026"]
    (edition,) = page.xpath("//section[@aria-labelledby='told_']//a")
    assert (edition.text, edition.get("href").split("#")[0]) == ("24 November 2026", "/digest/world/2026-11-24")
    assert page.xpath("//section[@aria-labelledby='outlets_']//dt/text()") == ["English"]


async def test_no_line_ends_between_a_quotation_and_its_outlet(client):
    today = (await client.get("/")).text
    story = (await client.get(links(today, "/story/")[0])).text

    for page in (today, story):
        cites = html.fromstring(page).xpath("//main//cite")
        before = [cite.xpath("preceding-sibling::node()[1]") for cite in cites]
        assert before and all(text.endswith("\u00a0") for (text,) in before)
        assert all(cite.text.startswith("—\u00a0") for cite in cites)


async def test_a_story_of_two_days_shows_its_thread(client):
    today = (await client.get("/")).text
    pages = [(await client.get(path)).text for path in links(today, "/story/")]

    assert any(">Thread</h2>" in page or "day 2" in page for page in pages)


@pytest.mark.parametrize(("ending", "kind"), FORMS.items())
async def test_an_edition_is_there_in_each_form(client, ending, kind):
    found = await client.get(f"/digest/world/2026-11-25.{ending}")

    assert found.status_code == 200 and found.headers["content-type"].startswith(kind)
    assert "second quake" in found.text
    assert "reader@example.org" not in found.text


async def test_the_archive_lists_editions_with_their_lead(client):
    found = (await client.get("/archive")).text

    assert links(found, "/digest/") == ["/digest/world/2026-11-25", "/digest/world/2026-11-24"]
    assert found.count('<p dir="auto">') == 2
    assert (await client.get("/archive/2026-11")).text == found
    assert (await client.get("/archive/2025-01")).status_code == 404


async def test_the_archive_lists_each_edition_of_a_date_under_the_title_that_it_was_made_with(press):
    settings, engine, _ = press
    renamed = digests_of(settings)[0].model_copy(update={"title": "The World"})
    order = EditionRequest(
        local_date=NOW.date(), window_start=NOW - timedelta(hours=6), window_end=NOW, slot=parse_slot("15:00:12.5")
    )
    make_edition(engine, renamed, order, now=NOW + timedelta(hours=7))
    client = client_of(app_of(site_of(settings, engine)))

    found = (await client.get("/archive")).text
    asked = await client.get("/digest/world/2026-11-25-150012")

    paths = ["/digest/world/2026-11-25-150012", "/digest/world/2026-11-25", "/digest/world/2026-11-24"]
    assert links(found, "/digest/") == paths and "3 editions" in found
    assert "The World · No. 3" in found and "World Digest · No. 2" in found
    assert html.fromstring(found).xpath("//li/a/text()")[:2] == [
        "Wednesday 25 November, 15:00 CET", "Wednesday 25 November"
    ]  # fmt: skip
    assert "The World" in asked.text and "No. 3" in asked.text
    assert {paths[1], f"{paths[0]}.md"} <= set(links(asked.text, "/digest/"))
    assert "edition: 3" in (await client.get(f"{paths[0]}.md")).text
    assert "edition: 2" in (await client.get(f"{paths[1]}.md")).text
    assert (await client.get("/digest/world/2026-11-25-160000")).status_code == 404


async def test_editions_lead_to_those_beside_them(client):
    older = html.fromstring((await client.get("/digest/world/2026-11-24")).text)

    assert older.xpath("//header//a[@rel='next']/@href") == ["/digest/world/2026-11-25"]
    assert older.xpath("//header//a[@rel='next']/text()") == ["25 November →"]


async def test_the_forms_of_an_edition_have_names(client):
    page = html.fromstring((await client.get("/")).text)

    names = page.xpath("//nav[@aria-label='This edition']/a/text()")
    assert names[:5] == ["Markdown", "Data", "Mail", "Text", "Book"]


def test_the_date_of_an_edition_has_the_year_where_it_is_another_and_the_time_where_there_are_several_editions():
    daily = EditionKey(digest="world", local_date=date(2026, 12, 31))
    noon = EditionKey(digest="world", local_date=date(2026, 12, 31), slot=parse_slot("daily 12:30"))

    assert format_edition_date(daily, near=date(2026, 1, 2)) == "31 December"
    assert format_edition_date(daily, near=date(2027, 1, 1)) == "31 December 2026"
    assert format_edition_date(daily, "Europe/Vienna") == "31 December 2026"
    assert format_edition_date(noon, "America/Sao_Paulo") == "31 December 2026, 12:30 UTC-03"


async def test_the_feed_links_the_editions_of_the_site(client):
    found = await client.get("/feed.atom")

    assert found.headers["content-type"].startswith("application/atom+xml")
    assert 'href="http://127.0.0.1:8420/digest/world/2026-11-25.html"' in found.text
    assert (await client.get("/digest/world/2026-11-25.html")).status_code == 200


async def test_sources_are_listed_worst_first_and_filtered(client):
    found = (await client.get("/sources")).text
    rows = [row.text_content() for row in html.fromstring(found).xpath("//tbody/tr")]

    assert len(rows) == 3 and "failing" in rows[0] and "503" in rows[0]
    assert len(html.fromstring((await client.get("/sources?q=harbour")).text).xpath("//tbody/tr")) == 1


async def test_a_source_shows_its_polls_and_no_password(client):
    pages = [(await client.get(f"/sources/{n}")).text for n in (1, 2, 3)]
    failing = next(page for page in pages if "503 Service Unavailable" in page)

    assert "1 failure in a row" in failing
    assert "hush" not in "".join(pages)


async def test_coverage_counts_outlets_and_first_reports_by_country_and_language(client):
    page = html.fromstring((await client.get("/coverage")).text)
    countries, languages = (
        [[cell.text_content() for cell in row.xpath("td")] for row in table.xpath(".//tbody/tr")]
        for table in page.xpath("//table")
    )

    assert "10 articles, 1 story of several outlets" in page.text_content()
    assert countries[0] == ["Canada1 outlet", "25 Nov, 06:00", "00 %"] and len(countries) == 6
    assert [row[0] for row in languages] == ["English4 outlets", "Arabic1 outlet", "Japanese1 outlet"]
    assert page.xpath("//option[@selected]/text()") == ["month"]
    assert html.fromstring((await client.get("/coverage?days=7")).text).xpath("//option[@selected]/text()") == ["week"]
    assert (await client.get("/coverage?days=99999999999999999999")).status_code == 200


async def test_a_time_without_any_article_is_said_and_no_country_is_blamed_for_it(press):
    settings, engine, _ = press
    usual, later = site_of(settings, engine), site_of(settings, engine, now=NOW + 60 * DAY)

    quiet, busy = (html.fromstring(_render_path(site, "/coverage").body) for site in (later, usual))

    assert "No article is from the last month; the latest one is from 25 Nov 2026, 07:00." in quiet.text_content()
    assert not quiet.find_class("bad") and quiet.xpath("//tbody/tr")
    assert "10 articles" in busy.text_content()


async def test_search_finds_marks_and_pages(client):
    found = (await client.get("/search", params={"q": "tents"})).text

    assert "<mark>tents</mark>" in found and "Karoo Standard" in found
    assert "No articles found" in (await client.get("/search?q=zebra")).text
    assert links(found, "/story/")


async def test_the_search_leads_to_the_check_of_what_was_looked_for(client):
    empty, asked = (await client.get("/search")).text, (await client.get("/search?q=quake+in+Tarvola%3F")).text

    assert links(empty, "/check") == ["/check"] and "All words must match" in empty
    assert links(asked, "/check") == ["/check?claim=quake%20in%20Tarvola%3F"] and "All words must match" not in asked


async def test_search_counts_folds_copies_and_takes_the_names_of_languages(client):
    found = html.fromstring((await client.get("/search?q=quake")).text)
    copies = found.xpath("//ol[@class='rows']/li/details//a/@href")
    asked = {name: (await client.get("/search", params={"q": "quake", "language": name})).text for name in
             ("en", "English", "الإنجليزية", "Welsh", "Klingonisch")}  # fmt: skip

    articles = found.xpath("//ol[@class='rows']//a[starts-with(@href, '/article/')]/@href")
    assert f"{len(articles)} articles, newest first." in found.text_content()
    assert copies and len(set(articles)) == len(articles)
    assert asked["en"].count("<li data-row>") == asked["English"].count("<li data-row>") > 0
    assert "No language" not in asked["الإنجليزية"]  # the name of English in a language of the sources
    assert "No articles found" in asked["Welsh"] and "The language “Klingonisch” is not known" in asked["Klingonisch"]


@pytest.mark.parametrize(
    "path",
    ["/nope", "/story/none", "/story/s", "/article/none", "/sources/99", "/sources/x", "/digest/world/2020-01-01",
     "/digest/none", "/digest/world/2026-13-45", "/digest/world/2026-11-25.exe", "/archive/x", "/sources/page-9"],
)  # fmt: skip
async def test_what_is_not_there_is_said_in_a_page(client, path):
    found = await client.get(path)

    assert found.status_code == 404
    page = html.fromstring(found.text)
    assert "Not found" in page.text_content()
    assert page.xpath("//main//form[@action='/search']//input[@name='q']")
    assert page.xpath("//main/p/a/@href") == ["/", "/archive", "/coverage", "/kept", "/sources"]


async def test_an_edition_being_made_is_said_and_the_page_loads_itself_anew(press):
    settings, engine, _ = press
    window = (NOW - timedelta(days=1), NOW)
    day = NOW.date() + timedelta(days=1)
    quiet = await client_of(app_of(site_of(settings, engine))).get("/")
    key = EditionKey(digest="world", local_date=day, slot=DAILY)
    write(engine, claim, key, window=window, now=NOW)
    found = await client_of(app_of(site_of(settings, engine))).get("/")

    assert "refresh" not in quiet.headers
    assert found.headers["refresh"] == "5" and "The edition of 26 November (world)" in found.text


async def test_times_are_in_the_readers_zone(client):
    found = (await client.get("/sources")).text

    assert '<time datetime="2026-11-25T09:00+0100"' in found  # NOW + 1 h, in Vienna


async def test_an_empty_store_says_what_to_do(tmp_path):
    from digests.store.editions import open_digests
    from tests.web.press import settings_in

    settings = settings_in(tmp_path)
    engine = open_digests(settings.store.url)
    client = client_of(app_of(site_of(settings, engine)))

    pages = [(await client.get(path)) for path in ("/", "/archive", "/coverage", "/sources", "/search?q=x")]

    assert [page.status_code for page in pages] == [200] * 5
    assert "No edition yet" in pages[0].text and "watcher sources add" in pages[2].text
    engine.dispose()


async def test_many_sources_are_shown_a_hundred_at_a_time(press):
    from watcher.model import Source

    settings, engine, _ = press
    many = [Source(url=f"https://s{n}.example/", name=f"Source {n}") for n in range(230)]
    write(engine, sync_sources, many, now=NOW)
    client = client_of(app_of(site_of(settings, engine)))

    pages = [(await client.get(path)).text for path in ("/sources", "/sources/page-2", "/sources/page-3")]

    counts = [len(re.findall("<tr data-row>", page)) for page in pages]
    assert counts == [100, 100, 30]
    assert 'href="/sources/page-2"' in pages[0] and 'href="/sources/page-3"' in pages[1]
    assert len(pages[0].encode()) < 100_000


async def test_a_page_goes_out_compressed_to_who_takes_it(client):
    packed = await client.get("/", headers={"Accept-Encoding": "gzip"})
    plain = await client.get("/", headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text


REPORTS, TEXT = 160, "A quake shook Tarvola, mayor Henrik Oster said to us. " * 2_000  # of a hundred kilobytes


@pytest.fixture(scope="module")
def great_story(tmp_path_factory, store_of_module):
    """A site with a story of many long reports, one of them a copy, and the story's id."""
    settings, engine = filled(tmp_path_factory.mktemp("great"), days=(), store_url=store_of_module)
    features = extract_features("x", title="Quake", text=TEXT[:500], language="en")
    packed = PackedFeatures(version=features.version, payload=encode(features))
    keys = [f"{n:016x}" for n in range(0xF000, 0xF000 + REPORTS)]

    def fill(connection):
        for n, key in enumerate(keys):
            at = NOW - DAY + timedelta(minutes=n)
            article = Article(
                id=key, url=f"https://outlet.example/{key}", host="outlet.example", outlet=f"Outlet {n}", language="en",
                title=f"Quake shakes Tarvola, report {n}", text=TEXT, country="GB", published_at=at, fetched_at=at,
            )  # fmt: skip
            add_article(connection, article, feed_id=1, packed=packed, block_hashes=())
        row = {"title": "Quake shakes Tarvola, report 3", "language": "en", "size": REPORTS, "merged_ids": ()}
        times = {"first_at": NOW - DAY, "last_at": NOW, "began_at": NOW - DAY}
        connection.execute(insert(stories).values(id="s1f2e3d4c5b", thread="t1f2e3d4c5b", **row, **times))
        members = [
            {"article_id": key, "story_id": "s1f2e3d4c5b", "report": keys[0] if n == 1 else key,
             "nearest": keys[n - 1] if n > 1 else None, "evidence": {"score": 0.8} if n > 1 else None, "agency": None}
            for n, key in enumerate(keys)
        ]  # fmt: skip
        connection.execute(insert(story_articles), members)

    write(engine, fill)
    yield site_of(settings, engine), "s1f2e3d4c5b"
    engine.dispose()


@pytest.mark.parametrize("path", ["", "/page-3", "/feed.atom"])
def test_of_a_story_of_many_long_reports_only_the_texts_that_are_shown_are_in_memory(great_story, path):
    site, story = great_story
    _render_path(site, f"/story/{story}{path}")  # loads the names of places, templates and the like

    tracemalloc.start()
    found = _render_path(site, f"/story/{story}{path}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert found.status == 200 and len(found.body) > 10_000
    assert peak < REPORTS * len(TEXT) / 2


def test_a_page_of_a_long_story_says_which_of_its_articles_it_shows(great_story):
    site, story = great_story
    first, third, last = (
        html.fromstring(_render_path(site, f"/story/{story}{path}").body) for path in ("", "/page-3", "/page-4")
    )

    shown = [page.xpath("string(//section[@aria-labelledby='all_']/p)") for page in (first, third, last)]
    assert shown == ["Articles 1 to 40 of 160.", "Articles 81 to 120 of 160.", "Articles 121 to 160 of 160."]
    assert len(first.xpath("//li[@data-row]")) == 39  # one of the forty is a copy
    assert "Why it is in this story" in third.text_content()
