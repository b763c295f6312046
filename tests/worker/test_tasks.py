"""What workers keep between tasks."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from digests.store.editions import open_digests
from watcher.clean.site_memory import build_site_memory
from watcher.clean.site_rules import _parse_rules
from watcher.errors import CleanError
from watcher.model import Entry, Response
from watcher.worker.tasks import LARGE_SITE, MAX_NEW_ARTICLES, clean_entry, clean_page, load_site_memory

BOX = "The town lies on the river and has a market each Tuesday, as it has had for six hundred years."
FACTS = (
    "The ferry between the two towns runs again, the harbour office said on Monday.",
    "Its engine was taken apart over the winter, and two of its four pistons are new.",
    "Tickets cost as much as last year, and children under six travel without one.",
    "The first boat leaves at six in the morning, the last one shortly before midnight.",
)

LONG_TITLE = "Eleven people are missing after the ferry Marsk turns over in a storm off the coast of Tarvola on Sunday"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
FURNITURE = (1 << 8 | 5, 2 << 8 | 5, 3 << 8 | 5)


def answer(html: str, url: str) -> Response:
    headers = (("content-type", "text/html; charset=utf-8"),)
    return Response(url=url, moved_to=None, headers=headers, took_s=0.1, status=200, body=html.encode())


def article(n: int) -> tuple[int, ...]:
    return (*FURNITURE, (1000 + n) << 8 | 40)


def test_a_small_site_is_learnt_anew_with_each_article():
    first = load_site_memory("small.example", tuple(article(n) for n in range(5)))
    second = load_site_memory("small.example", tuple(article(n) for n in range(-1, 5)))

    assert first == build_site_memory(article(n) for n in range(5))
    assert second == build_site_memory(article(n) for n in range(-1, 5))


def test_a_large_site_is_learnt_again_after_some_articles():
    size = LARGE_SITE + 5
    first = load_site_memory("large.example", tuple(article(n) for n in range(size)))

    soon = load_site_memory("large.example", tuple(article(n) for n in range(1 - MAX_NEW_ARTICLES, size)))
    later = load_site_memory("large.example", tuple(article(n) for n in range(-MAX_NEW_ARTICLES, size)))

    assert soon is first
    assert later == build_site_memory(article(n) for n in range(-MAX_NEW_ARTICLES, size))


def test_a_site_without_articles_has_no_memory():
    assert load_site_memory("new.example", ()) is None


def test_a_page_is_cleaned_by_the_rules_of_its_site():
    body = "".join(f"<p>{fact}</p>" for fact in FACTS)
    box = f"<div class=town><p>{BOX}</p></div>"
    html = f"<html><body><article><h1>The ferry runs again</h1>{box}{body}</article></body></html>"
    rules = _parse_rules('hosts = ["news.example"]\nreason = "A box."\ndrop = [".town"]\n', path="a.toml")
    url = "https://www.news.example/ferry"
    page, entry = answer(html, url), Entry(guid="1", url=url, title="The ferry runs again")

    assert BOX in clean_page(page, entry, "en", {}, (), (), NOW).cleaned.text
    assert BOX not in clean_page(page, entry, "en", {}, (), (rules,), NOW).cleaned.text


def test_a_page_about_something_else_is_not_the_article_that_the_feed_announced():
    body = "".join(f"<p>{fact}</p>" for fact in FACTS)
    page = answer(
        f"<html><body><article><h1>Ferry</h1>{body}</article></body></html>", "https://www.news.example/budget"
    )
    entry = Entry(
        guid="1",
        url=page.url,
        title="Parliament passes budget after marathon debate",
        summary="Lawmakers voted for higher pensions and defence spending.",
    )

    with pytest.raises(CleanError, match="another subject"):
        clean_page(page, entry, "en", {}, (), (), NOW)


@pytest.mark.slow
def test_a_process_that_polls_loads_nothing_of_what_only_its_workers_need(tmp_path):
    heavy = ("numpy", "lxml", "nh3", "feedparser", "alembic", "jinja2")
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'[store]\nurl = "sqlite:///{tmp_path}/watcher.db"\n[semantic]\nembedder = "none"\n'
        '[[sources]]\nurl = "https://news.example/feed"\nenabled = false\n'
    )
    open_digests(f"sqlite:///{tmp_path}/watcher.db").dispose()  # Alembic makes a new store, which happens once
    lines = (
        "import sys",
        "from watcher.cli.main import run_command_line",
        f"code = run_command_line(['poll', '--config', '{settings}'])",
        "print(code, *sys.modules)",
    )

    output = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)

    code, *names = output.stdout.splitlines()[-1].split()
    assert code == "0"
    assert not {name.partition(".")[0] for name in names} & set(heavy)
    assert not [name for name in names if name.startswith("sqlalchemy.dialects.postgresql")]


def test_the_language_of_a_feeds_text_is_detected_with_what_is_known_of_its_source():
    short = Entry(guid="1", url=None, title="Open Thread", text="Red alert, Haifa area")
    claimed = replace(short, language="en-GB")

    languages = [
        clean_entry(short, "mid:1", None, {"en": 30}).cleaned.language,
        clean_entry(short, "mid:1", "en-GB", {}).cleaned.language,
        clean_entry(claimed, "mid:1", None, {}).cleaned.language,
    ]

    assert languages == ["en"] * 3


def test_a_feeds_text_that_is_clearly_in_another_language_than_its_sources_is_in_that_language():
    text = "Die Fähre zwischen den beiden Städten fährt wieder, teilte das Hafenamt am Montag mit. " * 2
    entry = Entry(guid="1", url=None, title="Fähre", text=text)

    assert clean_entry(entry, "mid:1", "fr", {"fr": 100}).cleaned.language == "de"


@pytest.mark.parametrize(
    ("summary", "has_text"),
    [
        (f"{LONG_TITLE}.", False),
        (f"{LONG_TITLE} Harbour Post", False),
        (
            f"{LONG_TITLE}. The ferry Marsk had left in a storm, and eleven people are still missing, the mayor said.",
            True,
        ),
        ("The ferry Marsk had left in a storm, and eleven people are still missing, the mayor said on Monday.", True),
    ],
)
def test_a_text_that_says_the_title_again_is_none(summary, has_text):
    entry = Entry(guid="1", url=None, title=LONG_TITLE, summary=summary)

    assert bool(clean_entry(entry, "https://x.example/1", "en", {}).cleaned.blocks) == has_text


@pytest.mark.parametrize(
    "summary",
    [
        "Your browser isnt supported anymore. Update it to get the best experience and our latest features. Learn more",
        "To continue, please click the box below to let us know that you are not a robot. Thank you for your patience.",
        "Click 'I agree' to allow us and our partners to use cookies and similar technologies to access your device.",
    ],
)
def test_a_feeds_text_that_is_a_wall_is_none(summary):
    entry = Entry(guid="1", url=None, title=LONG_TITLE, summary=summary)

    assert clean_entry(entry, "https://x.example/1", "en", {}).cleaned.blocks == ()


def test_the_kind_of_an_entry_is_read_from_its_text_too():
    caption = "(260301) -- LINDOW, March 1, 2026 (Agency) -- Crowds gather at the bridge of Lindow before the flood."
    entry = Entry(guid="1", url=None, title="LINDOW-BRIDGE", summary=caption)

    assert clean_entry(entry, "https://x.example/1", "en", {}).cleaned.kind == "gallery"
