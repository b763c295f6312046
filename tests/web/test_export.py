"""The site as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import html

from tests.web.press import NOW, edition, put, site_of
from watcher.cli.main import run_command_line
from watcher.errors import WatcherError
from watcher.web.app import export_site

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def copied(press, capsys):
    """The folder of a copy."""
    folder = press[2] / "public"
    assert run_command_line(["site", str(folder), "--config", str(press[2] / "settings.toml")]) == 0
    assert "pages and" in capsys.readouterr().out
    return folder


def test_every_link_of_the_copy_leads_to_a_file(copied):
    names = files_in(copied)

    assert {"index.html", "archive.html", "sources.html", "style.css", "feed.atom"} <= set(names)
    assert {f"digest/world/2026-11-25{end}" for end in (".html", ".md", ".json", ".eml", ".txt")} <= set(names)
    assert any(name.startswith("story/") for name in names) and any(name.startswith("article/") for name in names)
    for name, body in names.items():
        if name.endswith(".html"):
            for link in html.fromstring(body.decode()).xpath("//@href | //@src"):
                path = link.partition("#")[0]
                assert not link.startswith("/"), (name, link)
                if path and "://" not in path:
                    assert (copied / name).parent.joinpath(path).resolve().is_file(), (name, link)


def test_two_copies_are_the_same_bytes(copied, press):
    again = press[2] / "again"

    assert run_command_line(["site", str(again), "--config", str(press[2] / "settings.toml")]) == 0

    assert files_in(again) == files_in(copied)


def test_a_copy_can_change_nothing_and_names_no_recipient(copied):
    for name, body in files_in(copied).items():
        assert b"<form" not in body and b"reader@example.org" not in body and b"hush" not in body, name


def test_a_folder_of_something_else_is_left_alone(press):
    folder = press[2] / "mine"
    folder.mkdir()
    (folder / "index.html").write_text("mine")

    with pytest.raises(WatcherError, match="contains other files"):
        export_site(site_of(*press[:2], is_static=True), folder)

    assert (folder / "index.html").read_text() == "mine"


def test_files_that_are_no_more_are_removed(press):
    site, folder = site_of(*press[:2], is_static=True), press[2] / "public"
    export_site(site, folder)
    mark = folder / ".watcher-site"
    mark.write_text(mark.read_text() + "story/sgone.html\n../settings.toml\n")
    (folder / "story" / "sgone.html").write_text("old")

    export_site(site, folder)

    assert not (folder / "story" / "sgone.html").exists()
    assert (press[2] / "settings.toml").exists()


def test_text_that_looks_like_a_link_stays_text(press):
    settings, engine, tmp = press
    words = 'See href="/archive" here'
    put(engine, "f" * 16, outlet="Post", language="en", country="GB", at=NOW, text=f"{words}. Nothing more.")
    edition(settings, engine, -1)

    export_site(site_of(settings, engine, is_static=True), tmp / "public")

    page = html.fromstring((tmp / "public" / "article" / f"{'f' * 16}.html").read_text())
    assert page.xpath("string(//h1)") == words
