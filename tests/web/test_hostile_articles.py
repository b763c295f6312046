"""Articles of one repeated piece: each is cleaned, put into an edition and shown in its time, other pages meanwhile."""

from __future__ import annotations

import asyncio
import time
from html import escape

import pytest
from lxml import html

from tests.clean.sheets import paragraphs
from tests.web.conftest import client_of
from tests.web.press import HOUR, NOW, TENTS, TEXTS, app_of, edition, filled, put, site_of
from watcher.cli.main import run_command_line

SIZE = 200_000  # characters
ENOUGH_S = 5.0
PIECES = {
    "full stops": ".",
    "sentences": "A. ",
    "abbreviations": "z. B. ",
    "quotes": '"',
    "opening quotes": "“",
    "quotations": '"a" ',
    "brackets": "(",
    "square brackets": "[1]",
    "agencies": "AP - ",
    "credits": " (AFP)",
    "bylines": "By Ann Lee, ",
    "dashes": "– ",
    "bars": " | ",
    "spaces": "\u00a0 ",
    "one mark": "\u0301",
    "marks out of order": "\u0301\u0327",
    "letters with marks": "e\u0327\u0301",
    "letters": "a",
    "capitals": "A",
    "figures": "1,000 ",
    "dates": "3 May 2026 ",
    "references": "&#",
    "tags": "<a ",
    "entities": '\\"',
    "Han": "国",
    "wide stops": "。",
    "Thai": "ก ",
}
MAIN = ("full stops", "quotes", "brackets", "agencies", "marks out of order")
cleaned = [pytest.param(name, marks=() if name in MAIN else pytest.mark.slow) for name in PIECES]
SHOWN = (*MAIN, "abbreviations", "letters with marks", "letters", "Thai")


def repeated(name: str, size: int = SIZE) -> str:
    return (PIECES[name] * size)[:size]


def page_of(piece: str) -> str:
    """Return a page that has the text in all places that are read."""
    text, short = escape(piece), escape(piece[:2_000])
    return (
        f"<html><head><title>{short}</title><meta name='author' content=\"{short}\"><meta property='og:title' "
        f'content="{short}"><script>var a = "{piece[:20_000]}"; <p> </script></head><body><article>'
        f"<h1>{short}</h1><div class='byline'>{short}</div><time>{short}</time><p>{text}</p>{paragraphs()}"
        f"<ul><li>{text}</li></ul><h2>{short}</h2><figure><figcaption>{text}</figcaption></figure><p>{text} (AFP)</p>"
        f"</article><p>{text}</p></body></html>"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", cleaned)
def test_a_page_of_one_repeated_piece_is_cleaned_in_time(name, tmp_path, capsys):
    path = tmp_path / "page.html"
    path.write_text(page_of(repeated(name)), encoding="utf-8")
    started = time.process_time()

    code = run_command_line(["clean", str(path), "--explain"])

    assert time.process_time() - started < ENOUGH_S
    out = capsys.readouterr()
    assert "the council spoke of the bridge" in out.out if code == 0 else "almost no text" in out.err


@pytest.fixture(scope="module")
def hostile_press(tmp_path_factory):
    """A press whose outlets each report one story for each piece, at the length of `SIZE`; and its store."""
    settings, engine = filled(tmp_path_factory.mktemp("hostile"), days=((1, TEXTS),))
    return settings, engine


def put_story(engine, name: str, number: int) -> list[str]:
    """Store three reports of one event that go on with the repeated piece; return their ids."""
    told = TENTS.replace("Tarvola", f"{number}Ostrava").replace("Dressel", f"{number}Morava")
    return [
        put(
            engine, f"{number:04x}{at:012x}", outlet=outlet, language=language, country="GB",
            text=f"{told} {outlet} said so. {repeated(name)}", at=NOW - (at + 1) * HOUR,
        )
        for at, (outlet, language) in enumerate((("Harbour Post", "en"), ("Karoo Standard", "en"), ("Rundblick", "de")))
    ]  # fmt: skip


@pytest.mark.slow
async def test_stories_of_one_repeated_piece_are_in_an_edition_and_on_pages_in_time(hostile_press):
    settings, engine = hostile_press
    keys = {name: put_story(engine, name, number) for number, name in enumerate(SHOWN, 10)}
    started = time.process_time()
    edition(settings, engine)
    assert time.process_time() - started < ENOUGH_S

    client = client_of(app_of(site_of(settings, engine)))
    for name, (key, *_) in keys.items():
        article, waited = await timed(client, f"/article/{key}")
        story = next(iter(html.fromstring(article).xpath("//a[starts-with(@href, '/story/')]/@href")), None)
        assert story is not None, name
        _, story_waited = await timed(client, story)
        assert max(waited, story_waited) < ENOUGH_S, name


async def timed(client, path: str) -> tuple[str, float]:
    """Return a page and the CPU seconds until it came; another is asked for meanwhile, and must not wait for it."""
    started = time.process_time()
    asked = asyncio.create_task(client.get(path))
    slowest = 0.0
    while not asked.done():
        begun = time.process_time()
        other = await client.get("/icon.svg", params={"at": str(begun)})
        slowest = max(slowest, time.process_time() - begun)
        assert other.status_code == 200
        await asyncio.wait([asked], timeout=0.05)
    found = await asked
    assert found.status_code == 200 and slowest < 1.0, (path, found.status_code, slowest)
    return found.text, time.process_time() - started
