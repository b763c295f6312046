"""Pages made to be slow: each is read in its time, whatever stands in it."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from tests.clean.sheets import LINES, paragraphs, sheet
from watcher.clean.article import clean
from watcher.clean.html import MAX_NAME, parse
from watcher.errors import CleanError

URL = "https://www.example.org/bridge"
ENOUGH_S = 20.0  # seconds of CPU, many times what any of them takes; what was mended took minutes
MANY = " ".join(f"a{at}='1'" for at in range(120_000))
PAGES = {
    "attributes without number": f"<article {MANY}>{paragraphs()}</article>",
    "a class without end": f"<div class='{'-ad' * 700_000}'>{paragraphs()}</div>",
    "a style without end": f"<div style='{'display: ' * 300_000}'>{paragraphs()}</div>",
    "names without number": f"{'<meta name=author content=Ann>' * 100_000}<body>{paragraphs()}",
    "depth": f"{'<div>' * 100_000}{paragraphs()}",
    "breaks": f"<article>{'x<br>' * 400_000}</article>",
    "open quotes in a script": f"<script>{chr(34) * 500_000}<p>{chr(92) * 500_001}</script>",
    "data within data": f"<script type='application/ld+json'>{'[' * 150_000}</script>{paragraphs()}",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_to_be_slow_ends(name: str) -> None:
    started = time.process_time()

    with suppress(CleanError):
        clean(sheet(PAGES[name]), url=URL)

    assert time.process_time() - started < ENOUGH_S


def test_a_tag_with_thousands_of_attributes_loses_them_and_its_text_stays() -> None:
    page = f"<article>{paragraphs()}<p {MANY}>The last word on it was said at midnight.</p></article>"

    assert clean(sheet(page), url=URL).text.splitlines() == [*LINES, "The last word on it was said at midnight."]


def test_a_long_name_is_cut_and_a_long_picture_is_not_taken_for_one() -> None:
    picture = f"<img src='data:image/png;base64,{'A' * 19_000}'>"
    tree = parse(sheet(f"<div id='x' class='{'story ' * 9_000}'>{picture}{paragraphs()}</div>"))

    assert tree is not None
    element = tree.find(".//div")
    assert element is not None
    assert len(element.get("class") or "") == MAX_NAME
    assert len(next(element.iter("img")).get("src") or "") > 19_000
