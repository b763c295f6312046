"""The page that checks a claim: the answer, the reports with what differs, and links that lead on."""

from __future__ import annotations

import pytest
from lxml import html
from sqlalchemy import select

from digests.store.schema import stories
from tests.web.conftest import client_of
from tests.web.press import NEWS, TEXTS, app_of, filled, set_quake_vectors, site_of
from watcher.store.writer import read


async def test_a_claim_is_answered_with_reports_and_what_they_have_otherwise(client):
    empty = (await client.get("/check")).text
    right = (await client.get("/check?claim=Quake+of+magnitude+5.4+shakes+Tarvola&since=30d")).text
    wrong = (await client.get("/check?claim=Quake+of+magnitude+7.9+shakes+Tarvola&since=30d")).text

    assert 'name="claim"' in empty and "Reported" not in empty
    assert "<strong>Reported by " in right and "As it stands" in right
    assert "<strong>Reported otherwise</strong>" in wrong and "magnitude 5.4, in the claim 7.9" not in right
    assert "figure 5.4, in the claim 7.9" in wrong
    links = html.fromstring(right).xpath("//main//a/@href")
    assert any(link.startswith("/article/") for link in links) and any(link.startswith("/story/") for link in links)
    for link in links:
        assert (await client.get(link)).status_code == 200


async def test_why_a_claim_cannot_be_answered_is_told_on_the_page(client):
    page = await client.get("/check?claim=12+%3F")

    assert page.status_code == 200 and "no word to look for" in page.text


async def test_the_switch_of_the_search_says_why_it_is_off(client):
    page = (await client.get("/search?q=Tarvola&by=meaning")).text

    assert "Nothing can be found by meaning: the settings have no embedder" in page
    (switch,) = html.fromstring(page).xpath("//input[@type='checkbox']")
    assert switch.get("disabled") is not None and "Quake" in page
    assert (await client.get("/search/feed.atom?q=Tarvola&by=meaning")).status_code == 200


async def test_a_claim_is_text_and_never_markup(client):
    page = (await client.get("/check?claim=%3Cscript%3Ealert(1)%3C/script%3E+Tarvola+quake")).text

    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


@pytest.mark.slow  # loads the built-in embedder
async def test_the_page_of_a_story_links_an_earlier_case_with_its_last_report(tmp_path):
    settings, engine = filled(tmp_path, days=((30, TEXTS), (0, NEWS)))
    set_quake_vectors(engine)
    query = select(stories.c.id).where(stories.c.size > 1).order_by(stories.c.first_at)
    earlier, later = read(engine, lambda connection: connection.scalars(query).all())
    client = client_of(app_of(site_of(settings, engine)))

    pages = [html.fromstring((await client.get(f"/story/{story}")).text) for story in (earlier, later)]

    links = [page.xpath("//section[@aria-labelledby='earlier_']//a/@href") for page in pages]
    assert links == [[], [f"/story/{earlier}"]]
    engine.dispose()
