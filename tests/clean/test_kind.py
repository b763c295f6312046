"""What kind of page an article is."""

from __future__ import annotations

import pytest

from watcher.clean.article import clean

PROSE = "The harbour office said that the ferry would run again from Monday, after a winter of repairs to its engine."


def kind(title: str, path: str, paragraphs: int = 4) -> str:
    body = "".join(f"<p>{PROSE} It is report {n} of its kind.</p>" for n in range(paragraphs))
    html = f"<html lang='en'><head><title>{title}</title></head><body><article><h1>{title}</h1>{body}</article></body>"
    return clean(html, url=f"https://news.example{path}").kind


@pytest.mark.parametrize(
    ("title", "path", "expected"),
    [
        ("Ferry runs again", "/harbour/ferry-runs-again", "article"),
        ("Live: ferry runs again, latest updates", "/live/ferry", "live"),
        ("Where people live beside the harbour", "/harbour/where-people-live", "article"),
        ("Live music returns to the harbour", "/culture/live-music", "article"),
        ("In pictures: the ferry", "/harbour/the-ferry", "gallery"),
        ("【写真特集】港の祭り", "/photo/matsuri", "gallery"),
        ("Morning briefing: a ferry and a storm", "/briefing", "roundup"),
    ],
)
def test_a_page_is_told_by_title_and_address_together(title, path, expected):
    assert kind(title, path) == expected
