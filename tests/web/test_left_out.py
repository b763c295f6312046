"""The page of what an edition leaves out."""

from __future__ import annotations

import pytest
from lxml import html
from sqlalchemy import text

from digests.web.left_out import LeftOutPages
from tests.web.press import TEXTS, app_of, filled, site_of
from watcher.errors import StoreError
from watcher.store.writer import write
from watcher.web.site import PageRequest

from .conftest import client_of

pytestmark = pytest.mark.slow  # fills a store

PATH = "/digest/world/2026-11-25/left-out"


@pytest.fixture
def site(tmp_path):
    """A site with an edition of one story in full and one in one line, without the chess."""
    settings, engine = filled(tmp_path, days=((0, TEXTS),), digest='stories = 1\nbriefs = 1\nmute = ["Varga"]')
    yield site_of(settings, engine)
    engine.dispose()


def finished(pages: LeftOutPages, site) -> html.HtmlElement:
    """Return the page when its list is there."""
    ask = PageRequest(params={"digest": "world", "name": "2026-11-25"})
    while (reply := pages.answer(site, ask)).refresh_s:
        pass  # `answer` waits for the list
    return html.fromstring(reply.body)


async def test_an_edition_links_the_list_of_what_it_left_out_with_the_count(site):
    async with client_of(app_of(site)) as client:
        today = html.fromstring((await client.get("/")).text)
        missing = await client.get("/digest/world/2020-01-01/left-out")

    (link,) = today.xpath(f"//footer//a[@href='{PATH}']")
    assert link.text == "Left out: 1 story and 1 article"
    assert missing.status_code == 404


def test_what_is_left_out_is_listed_by_cause_and_leads_to_stories_and_articles(site):
    page = finished(LeftOutPages(), site)

    causes = {" ".join(each.text_content().split()): each.getparent() for each in page.iter("summary")}
    assert list(causes) == ["Stories from a single outlet 1", "Articles muted by the settings 1", "Keys"]
    (story,), (chess,), _ = (group.findall(".//li") for group in causes.values())
    assert story.find("a").get("href").startswith("/story/")
    assert story.find("span").text_content() == "number 3 of 3 by its score, 1 outlet"
    assert chess.find("a").get("href").startswith("/article/")
    assert (chess.find("a").text, chess.find("span").text_content()) == ("Brindle wins the Varga cup", "Tasman Courier")
    assert "tells 1 story in full and 1 in one line. It leaves out 1 story and 1 article." in page.text_content()


def test_the_page_says_that_the_list_is_being_made_and_reloads(site):
    pages, ask = LeftOutPages(), PageRequest(params={"digest": "world", "name": "2026-11-25"})

    with pages._turn:
        busy = pages.answer(site, ask)

    assert busy.refresh_s and "The list is being made" in str(busy.body)
    assert finished(pages, site).findall(".//summary")


def test_a_list_that_fails_is_made_again_when_it_is_asked_for_again(site):
    pages, ask = LeftOutPages(), PageRequest(params={"digest": "world", "name": "2026-11-25"})
    write(site.engine, lambda connection: connection.execute(text("ALTER TABLE articles RENAME TO elsewhere")))

    with pytest.raises(StoreError, match="the store cannot be used"):
        while pages.answer(site, ask).refresh_s:
            pass
    write(site.engine, lambda connection: connection.execute(text("ALTER TABLE elsewhere RENAME TO articles")))

    assert finished(pages, site).findall(".//summary")
