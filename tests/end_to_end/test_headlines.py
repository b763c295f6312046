"""Pages that cannot be had, over real HTTP: their headlines are polled, grouped, counted and shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.cli.site import serving
from watcher.cli.main import run_command_line

pytestmark = pytest.mark.slow  # starts worker processes

TEXT = (
    "The ferry Albatross sank off Tarvola on Monday morning, and all 31 people on board were saved, officials said.",
    "Two fishing boats reached the Albatross first, and took the passengers to the harbour of Tarvola.",
    "The owner of the ferry said that its engine had been repaired in March, after a fire that nobody noticed.",
)
# By outlet: the headline, and what its page answers.
OUTLETS = {
    "told": ("Ferry Albatross sinks off Tarvola, all 31 people on board saved", "page"),
    "robots": ("All 31 saved as ferry Albatross sinks off Tarvola", "forbidden"),
    "gone": ("Albatross ferry sinks off Tarvola, 31 people saved", 410),
    "legal": ("Ferry Albatross sinks off Tarvola: 31 people are saved", 451),
    "image": ("Ferry sinks off Tarvola, Albatross passengers saved, all 31", "image"),
    "empty": ("31 people saved after ferry Albatross sinks off Tarvola", "empty"),
}


def feed(url: str, title: str, hours: int) -> str:
    at = format_datetime(datetime.now(UTC) - timedelta(hours=hours))
    item = f"<title>{title}</title><link>{url}</link><pubDate>{at}</pubDate><description>More.</description>"
    return f"<rss version='2.0'><channel><title>T</title><language>en</language><item>{item}</item></channel></rss>"


def run(path, capsys, *arguments: str) -> str:
    code = run_command_line([*arguments, "--config", str(path)])
    out = capsys.readouterr().out
    assert code in (0, 3), out
    return out


def test_an_entry_without_page_and_text_is_a_report_by_headline_alone_up_to_the_edition(tmp_path, capsys):
    with serving() as site:
        path = tmp_path / "settings.toml"
        sources = "".join(f"[[sources]]\nname = '{name}'\nurl = '{site.url(f'/{name}/feed')}'\n" for name in OUTLETS)
        path.write_text(
            f"[store]\nurl = 'sqlite:///watcher.db'\n[semantic]\nembedder = 'none'\n"
            f"[fetch]\nallow_private = ['{site.place}']\nhost_delay = '0s'\n"
            f"[[digests]]\nname = 'world'\ndirectory = 'out'\n{sources}"
        )
        site.page("/robots.txt", "User-agent: *\nDisallow: /robots/page", Content_Type="text/plain")
        for hours, (name, (title, answer)) in enumerate(OUTLETS.items(), start=1):
            site.feed(f"/{name}/feed", feed(site.url(f"/{name}/page"), title, hours))
            body = f"<html lang=en><body><article><h1>{title}</h1>{''.join(f'<p>{line}</p>' for line in TEXT)}"
            if isinstance(answer, int):
                site.page(f"/{name}/page", "no", status=answer)
            elif answer == "image":
                site.page(f"/{name}/page", "GIF89a", Content_Type="image/gif")
            else:
                site.page(f"/{name}/page", "" if answer == "empty" else body)

        polled = run(path, capsys, "poll")
        status = json.loads(run(path, capsys, "status", "--json"))
        edition = json.loads(run(path, capsys, "digest", "--stdout", "--format", "json"))
        edition = edition.get("edition", edition)
        page = run(path, capsys, "digest", "--stdout", "--format", "markdown")
        (story,) = (shown for section in edition["sections"] for shown in section["stories"])
        told = run(path, capsys, "story", story["id"])
        exported = [json.loads(line) for line in run(path, capsys, "export").splitlines()]

    assert "6 articles stored, 5 of them by their headline alone" in polled
    assert (status["articles"], status["pages_without_article"]) == (6, [])
    assert sum(row["pages"] for row in status["headlines_without_text"]) == 5
    assert {row["outlet"] for row in exported if not row["text"]} == OUTLETS.keys() - {"told"}
    assert (story["outlets"], story["independent"], story["folded"], story["headline_only"]) == (6, 1, 5, 5)
    assert story["title"] == OUTLETS["told"][0]
    assert {sentence["outlet"] for sentence in story["summary"]} == {"told"}
    assert (edition["ledger"]["headline_only"], edition["ledger"]["left_out"]) == (5, [])
    assert "6 outlets, 1 independent, 5 by headline alone" in page
    assert "6 outlets, 1 independent, 5 by headline alone: " in told
    assert told.count("(headline only)") == 5
    assert "/robots/page" not in site.asked
