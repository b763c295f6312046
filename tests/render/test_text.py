"""Plain text fits narrow windows."""

from __future__ import annotations

import re

from rich.cells import cell_len

from digests.render.forms import render
from digests.render.text import TEXT_COLUMNS, fill


def test_lines_wrap_at_the_width_they_show():
    assert [cell_len(s) for s in ("abc", "日本", "e\u0301", "می\u200cخ")] == [3, 4, 1, 3]
    lines = fill("日本語 " * 20, indent=2, hang=4).split("\n")

    assert lines[0].startswith("  日") and lines[1].startswith("    日")
    assert all(cell_len(line) <= TEXT_COLUMNS for line in lines)


def test_a_blank_line_stands_above_each_story(editions):
    source = render(editions.rich(), ["text"])[0].body.decode()
    lines = source[source.index("\n\n\nMIDDLE EAST") :].split("\n")

    above = [lines[i - 1] for i, line in enumerate(lines) if re.match(r"\d+\. ", line)]

    assert above == [""] * 12


def test_only_what_has_no_blanks_is_wider_than_the_window(editions):
    source = render(editions.rich(), ["text"])[0].body.decode()

    wide = [line for line in source.split("\n") if cell_len(line) > TEXT_COLUMNS]
    assert all(" " not in line.strip() for line in wide)


def test_addresses_stand_whole_on_lines_of_their_own(editions):
    lines = [line.strip() for line in render(editions.small(), ["text"])[0].body.decode().split("\n")]

    assert "https://outlet0.example/news/1?a=1&b=2" in lines
    assert "https://outlet2.example/story/1" in lines
