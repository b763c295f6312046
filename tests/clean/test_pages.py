"""Whole pages against what stands beside them in tests/data/pages."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watcher.clean.article import clean, extract_page, finish_article
from watcher.clean.site_memory import build_site_memory
from watcher.errors import CleanError
from watcher.model import Entry

PAGES = Path(__file__).parent.parent / "data" / "pages"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def expectation(name: str) -> dict[str, object]:
    return tomllib.loads((PAGES / f"{name}.toml").read_text(encoding="utf-8"))


def page(name: str) -> str:
    return (PAGES / f"{name}.html").read_text(encoding="utf-8")


NAMES = sorted(path.stem for path in PAGES.glob("*.toml"))
ARTICLES = [name for name in NAMES if "error" not in expectation(name)]
WALLS = [name for name in NAMES if "error" in expectation(name)]


@pytest.mark.parametrize("name", ARTICLES)
def test_a_page_gives_its_article_and_nothing_else(name: str) -> None:
    expected = expectation(name)

    cleaned = clean(page(name), url=str(expected["url"]), now=NOW)

    text = cleaned.text
    assert [phrase for phrase in expected["must"] if phrase not in text] == []
    assert [phrase for phrase in expected["must_not"] if phrase in text] == []
    assert cleaned.title == expected["title"]
    assert cleaned.title not in text.splitlines()
    assert cleaned.language == expected["language"]
    assert cleaned.kind == expected["kind"]
    assert cleaned.agency == expected.get("agency")
    assert cleaned.dateline == expected.get("dateline")
    assert list(cleaned.authors) == expected.get("authors", [])


@pytest.mark.parametrize("name", ARTICLES)
def test_the_date_is_the_articles_own(name: str) -> None:
    expected = expectation(name)

    made = extract_page(page(name), url=str(expected["url"]), now=NOW)

    assert made.metadata.published_at is not None
    assert made.metadata.published_at.strftime("%Y-%m-%d") == expected["published"]
    cleaned = finish_article(made)
    assert cleaned.published_at is not None
    assert cleaned.published_at.utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize("name", WALLS)
def test_a_page_without_an_article_says_why(name: str) -> None:
    expected = expectation(name)

    with pytest.raises(CleanError) as caught:
        clean(page(name), url=str(expected["url"]))

    assert str(expected["error"]) in str(caught.value.reason)


def test_what_was_removed_is_told_with_its_rule() -> None:
    cleaned = clean(page("boxes_inside"), url="https://quotidien-sud.example/nature/miel")

    rules = {cut.rule for cut in cleaned.removed}
    assert {"read more", "link", "call"} <= rules


def test_two_pages_of_a_site_teach_each_other_what_repeats() -> None:
    first, second = (
        extract_page(page(name), url=str(expectation(name)["url"])) for name in ("radio_wire", "radio_second")
    )
    memory = build_site_memory([first.hashes, second.hashes])

    texts = [finish_article(made, memory=memory).text for made in (first, second)]

    for name, text in zip(("radio_wire", "radio_second"), texts, strict=True):
        expected = expectation(name)
        assert all(phrase in text for phrase in expected["must"])
        assert not any(phrase in text for phrase in expected["must_not"])


ENTRY = Entry(guid="1", url=None, title="")


def test_the_feeds_title_is_taken_where_the_page_has_none() -> None:
    html = (
        "<html><body><article>"
        + "<p>The ferry left an hour late, and nobody on the quay knew why it had waited.</p>" * 3
    )

    cleaned = clean(html, url="https://a.example/1", entry=replace(ENTRY, title="Ferry leaves late"))

    assert cleaned.title == "Ferry leaves late"


def test_of_two_titles_of_a_page_the_one_that_its_feed_says_is_taken() -> None:
    html = (
        "<html><head><title>Quay in uproar | Example</title></head><body><article><h1>Ferry leaves late</h1>"
        + "<p>The ferry left an hour late, and nobody on the quay knew why it had waited.</p>" * 3
    )

    assert (
        clean(html, url="https://a.example/1", entry=replace(ENTRY, title="Quay in uproar")).title == "Quay in uproar"
    )
    assert clean(html, url="https://a.example/1").title == "Ferry leaves late"
