"""The page that checks a claim: the answer, the reports with what differs, and links that lead on."""

from __future__ import annotations

from lxml import html


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
