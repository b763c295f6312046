"""A page as a source: proposed, added, polled with good manners, redesigned, and found again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.site import serving
from tests.worker.fakes import page_html
from watcher.cli.main import run_command_line

pytestmark = pytest.mark.slow  # starts worker processes

TITLES = ("Ferry runs again after its repair", "Council votes for a second bridge", "Lighthouse keeper retires at last")
TITLES += ("Bakers raise the price of bread", "Snow closes the pass for a week")
HEAD = "<html lang=en><title>The Post</title><nav><a href='/topics/all-of-them'>All topics of this newspaper</a></nav>"


# Of this week, or the source would count as silent.
DAYS = [(datetime.now(UTC) - timedelta(days=n + 1)).date().isoformat() for n in range(len(TITLES))]


def list_page(item: str) -> str:
    return HEAD + "".join(item.format(n=n, title=title, day=DAYS[n]) for n, title in enumerate(TITLES))


OLD = list_page("<article class=card><a href='/a/{n}-x-y'>{title}</a><i class=d>{day}</i></article>")
NEW = list_page("<div class=teaser><h3><a href='/a/{n}-x-y'>{title}</a></h3></div>")


def run(path, *arguments: str) -> int:
    return run_command_line([*arguments, "--config", str(path)])


def test_a_page_is_added_polled_and_named_if_it_is_redesigned(tmp_path, capsys):
    with serving() as site:
        path = tmp_path / "settings.toml"
        path.write_text(
            f"[store]\nurl = 'sqlite:///watcher.db'\n[semantic]\nembedder = 'none'\n"
            f"[fetch]\nallow_private = ['{site.place}']\nhost_delay = '0s'\n[poll]\nmin_every = '0s'\n"
        )
        etag = ['"1"']
        pages = {'"1"': OLD, '"2"': NEW}

        def answer(headers):
            if headers["If-None-Match"] == etag[0]:
                return 304, {}, b""
            return 200, {"Content-Type": "text/html", "ETag": etag[0]}, pages[etag[0]].encode()

        def health() -> tuple[str, str, str]:
            run(path, "poll", "--all")
            capsys.readouterr()
            run(path, "status", "--json")
            (row,) = json.loads(capsys.readouterr().out)["sources"]
            return row["health"], row["why"], row["hint"]

        site.answers["/news"] = answer
        for number, title in enumerate(TITLES):
            site.page(f"/a/{number}-x-y", page_html(title))

        assert run(path, "sources", "add", site.url("/news")) == 1
        assert "sources discover" in capsys.readouterr().err
        assert run(path, "sources", "discover", site.url("/news"), "--add") == 0
        out = capsys.readouterr().out
        assert 'items = "article"\ndate = "i.d"\n' in out
        assert f"  {DAYS[0]} 00:00 UTC  {TITLES[0]}  {site.url('/a/0-x-y')}\n" in out

        assert health() == ("ok", "", "")
        assert site.asked.count("/robots.txt") >= 1
        assert {f"/a/{n}-x-y" for n in range(5)} <= set(site.asked)

        etag[0] = '"2"'
        status, why, hint = health()
        assert (status, hint) == ("failing", f"watcher sources discover {site.url('/news')}")
        assert why.endswith('items = "article" finds nothing on this page; it may have been redesigned')
        assert run(path, "status") == 0
        assert "it may have been redesigned" in capsys.readouterr().out
        assert run(path, "sources", "test", site.url("/news")) == 1

        assert run(path, "sources", "discover", site.url("/news")) == 0
        assert 'items = "div.teaser"\n' in capsys.readouterr().out
        path.write_text(path.read_text().replace('items = "article"\ndate = "i.d"', 'items = "div.teaser"'))
        assert health()[0] in ("ok", "undated")
        assert run(path, "sources", "test", site.url("/news")) == 0
        assert f"no date  {TITLES[0]}  {site.url('/a/0-x-y')}" in capsys.readouterr().out
