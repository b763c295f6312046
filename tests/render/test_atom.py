"""The Atom feed of a digest: valid, stable, and nothing in it loads or runs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import feedparser
import pytest
from lxml import etree
from lxml import html as lxml_html

from digests.render.feeds import MAX_ENTRIES
from digests.render.forms import render
from digests.render.mail import MailHead

ATOM = "{http://www.w3.org/2005/Atom}"
SITE = "https://example.org/digest/"


def days_before(edition, days: int):
    return replace(
        edition, local_date=edition.local_date - timedelta(days=days), made_at=edition.made_at - timedelta(days=days)
    )


def feed(edition, *, earlier=(), site: str | None = SITE) -> bytes:
    mail = MailHead(sender="digest@example.org")
    (rendered,) = render(edition, ["atom"], mail=mail, site=site, earlier=earlier)
    assert rendered.name == "feed.atom"
    return rendered.body


def test_a_feed_has_what_the_standard_asks_for(editions):
    root = etree.fromstring(feed(editions.small(), earlier=[days_before(editions.small(), 1)]))

    for element in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
            assert element.findtext(f"{ATOM}{name}")
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "World Digest"
    assert [e.findtext(f"{ATOM}id") for e in root.iter(f"{ATOM}entry")] == [
        "tag:example.org,2026:watcher/world/2025-03-14",
        "tag:example.org,2026:watcher/world/2025-03-13",
    ]
    assert root.findtext(f"{ATOM}id") == "tag:example.org,2026:watcher/world"
    assert root.findtext(f"{ATOM}updated") == "2025-03-14T05:31:00Z"


def test_a_feed_reader_finds_the_editions(editions):
    parsed = feedparser.parse(feed(editions.rich()))

    assert parsed.bozo is False
    assert parsed.version == "atom10"
    (entry,) = parsed.entries
    assert entry.title == editions.rich().stories[0].title
    assert entry.link == "https://example.org/digest/2025-03-14.html"
    assert "Since yesterday" in entry.content[0].value


@pytest.mark.slow
def test_a_feed_holds_the_last_editions_the_newest_first(editions):
    earlier = [days_before(editions.small(), days) for days in (3, *range(1, 20))]

    parsed = feedparser.parse(feed(editions.small(), earlier=earlier))

    days = [entry.id[-10:] for entry in parsed.entries]
    assert len(days) == MAX_ENTRIES
    assert days == sorted(set(days), reverse=True)
    assert days[0] == "2025-03-14"


def test_an_edition_of_a_date_takes_the_place_of_the_kept_one(editions):
    kept = replace(editions.empty(), title="Kept")

    parsed = feedparser.parse(feed(editions.small(), earlier=[kept]))

    assert [entry.title for entry in parsed.entries] == [editions.small().stories[0].title]


def test_an_edition_in_a_feed_loads_and_runs_nothing(editions):
    (content,) = feedparser.parse(feed(editions.rich()), sanitize_html=False).entries[0].content

    page = lxml_html.document_fromstring(content.value)

    assert not page.xpath("//script | //img | //style | //*[@src] | //*[@style] | //*[@onclick]")
    assert not [href for href in page.xpath("//a/@href") if not re.match("https?://", href)]
    assert len(page.xpath("//h3")) == len(editions.rich().stories)
    assert "Read [this](https://evil.example/x) <script>alert(1)</script> & *more* | `now`" in page.text_content()


def test_a_feed_without_a_place_in_the_web_has_no_links(editions):
    root = etree.fromstring(feed(editions.small(), site=None))

    assert root.findall(f".//{ATOM}link") == []
    assert root.findtext(f"{ATOM}entry/{ATOM}content")


def test_an_empty_edition_is_an_entry_too(editions):
    parsed = feedparser.parse(feed(editions.empty()))

    assert parsed.bozo is False
    assert parsed.entries[0].title == "World Digest No. 148, Friday, 14 March 2025"
