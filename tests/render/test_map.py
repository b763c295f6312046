"""The map of a page: a pin a story, none on another, nothing where there is nothing to tell apart."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

from lxml import html as lxml_html

from digests.analysis.country_names import COUNTRY_CODES
from digests.render.edition_view import edition_view
from digests.render.forms import render
from digests.render.html import PIN_GAP, PIN_RADIUS, pins, world


def placed(editions, *codes: str):
    stories = tuple(
        replace(editions.story(n), place_codes=(code,) if code else (), places=(code,) if code else ())
        for n, code in enumerate(codes, 1)
    )
    return editions.edition((editions.Section(title="World", anchor="world", stories=stories),))


def test_each_country_has_a_point_on_the_map():
    assert set(COUNTRY_CODES) <= set(world()["points"])
    assert all(0 <= x <= world()["width"] and 0 <= y <= world()["height"] for x, y in world()["points"].values())


def test_a_pin_stands_in_its_country_with_the_number_of_the_contents(editions):
    first, second = pins(edition_view(placed(editions, "BR", "", "JP")).stories)

    assert (first.number, first.place, second.number) == (1, "BR", 3)
    assert (first.x, first.y) == world()["points"]["BR"]
    assert first.x < second.x and first.y > second.y
    assert not first.is_aside


def test_pins_in_one_place_make_room_for_each_other(editions):
    found = pins(edition_view(placed(editions, *["BE"] * 6, "NL", "LU", "DE", "FR", "FJ", "FJ")).stories)

    assert len(found) == 12
    for one, other in itertools.combinations(found, 2):
        assert math.dist((one.x, one.y), (other.x, other.y)) >= 2 * PIN_RADIUS + PIN_GAP / 2
    assert all(PIN_RADIUS <= pin.x <= world()["width"] - PIN_RADIUS for pin in found)
    assert any(pin.is_aside for pin in found)


def test_one_country_alone_needs_no_map(editions):
    assert pins(edition_view(placed(editions, "BR", "BR", "")).stories) == ()
    assert "<path" not in render(placed(editions, "BR"), ["html"])[0].body.decode()


def test_the_map_links_to_the_stories_and_says_where_they_are(editions):
    page = lxml_html.document_fromstring(render(placed(editions, "BR", "JP"), ["html"])[0].body.decode())

    (picture,) = page.xpath("//svg[contains(@class, 'map')]")
    assert picture.get("aria-label") == "World map: 1 BR, 2 JP"
    assert picture.xpath(".//a/@href") == ["#story-of-1", "#story-of-2"]
    assert picture.xpath(".//text/text()") == ["1", "2"]


def test_only_the_page_has_a_map(editions):
    for rendered in render(placed(editions, "BR", "JP"), ["markdown", "text", "eml", "atom"]):
        assert world()["land"][:40] not in rendered.body.decode()
        assert "World map" not in rendered.body.decode()
