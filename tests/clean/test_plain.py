"""Pages that came as plain text."""

from __future__ import annotations

from tests.clean.sheets import LINES
from watcher.clean.article import clean, extract_page
from watcher.clean.plain import is_plain
from watcher.model import Block

URL = "https://www.example.org/bridge"
TITLE = "Council puts off the bridge once more"


def test_the_first_line_is_the_title_and_blank_lines_end_paragraphs() -> None:
    cleaned = clean("\r\n\r\n".join((TITLE, "AFP", *LINES)), url=URL)

    assert (cleaned.title, cleaned.agency) == (TITLE, "AFP")
    assert cleaned.text.splitlines() == list(LINES)


def test_lines_of_one_paragraph_belong_together() -> None:
    broken = "\n\n".join(line.replace(", ", ",\n") for line in LINES)

    assert clean(f"{TITLE}\n\n{broken}", url=URL).text.splitlines() == list(LINES)


def test_bullets_and_what_is_set_in_under_them_are_a_list() -> None:
    text = f"{TITLE}\n\n{LINES[0]}\n\n  • A second bridge\n\n    by the mill, for cars\n\nAnd so to bed, past midnight."

    assert [block.kind for block in extract_page(text, url=URL).blocks[-4:]] == ["p", "li", "li", "p"]


def test_teasers_and_schedules_behind_the_article_go() -> None:
    teasers = [
        f"  • A story of the {day}\n\n    It rained on the {day} of May, said the office." for day in LINES[0].split()
    ]
    show = "Coming Up on Bay Radio\n\n  • The Agenda\n\n    10:00am - 1:00pm\n\n    Every weekday, with guests."

    cleaned = clean("\n\n".join((TITLE, *LINES, "More from International", *teasers, show)), url=URL)

    assert cleaned.text.splitlines() == list(LINES)


def test_signs_of_arithmetic_are_no_markup() -> None:
    assert is_plain("a < b, and <3 for all") and not is_plain("a <b>word</b>")
    assert extract_page(f"1 < 2\n\n{LINES[0]}\n\n{LINES[1]}", url=URL).blocks[1:] == (
        Block(text=LINES[0]),
        Block(text=LINES[1]),
    )
