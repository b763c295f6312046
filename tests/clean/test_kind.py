"""What kind of page an article is."""

from __future__ import annotations

import pytest

from watcher.clean.article import clean

PROSE = "The harbour office said that the ferry would run again from Monday, after a winter of repairs to its engine."


def kind(title: str, path: str, paragraphs: int = 4, body: str = "") -> str:
    body = body or "".join(f"<p>{PROSE} It is report {n} of its kind.</p>" for n in range(paragraphs))
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


def test_a_short_text_under_the_title_of_a_video_is_a_video():
    assert kind("Video: the ferry", "/harbour/the-ferry", paragraphs=2) == "video"
    assert kind("Video: the ferry", "/harbour/the-ferry", paragraphs=12) == "article"


def test_entries_with_falling_times_make_a_live_blog():
    times = ("16:40", "15:05", "14:58", "13:00", "11:30", "9.15")
    entries = "".join(f"<h3>{time} The ferry, again</h3><p>At {time}: {PROSE}</p>" for time in times)
    concerts = "".join(
        f"<h3>{time} A band plays</h3><p>At {time}: {PROSE}</p>"
        for time in ("20:00", "9:30", "21:00", "19:30", "20:00", "11:00")
    )

    assert kind("What happens at the harbour", "/harbour/day", body=entries) == "live"
    assert kind("What happens at the harbour", "/harbour/day", body=concerts) == "article"


def test_a_page_of_many_headings_at_an_address_of_round_ups_is_one():
    items = "".join(f"<h3>Item {n} of the day</h3><p>{PROSE}</p>" for n in range(4))

    assert kind("The harbour, today", "/newsletters/harbour-today", body=items) == "roundup"
    assert kind("The harbour, today", "/newsletters/harbour-today") == "article"
