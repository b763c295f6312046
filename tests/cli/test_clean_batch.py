"""The filter `watcher clean --jsonl`."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from watcher.cli.clean import _clean_lines, _draft_in_pool
from watcher.failure_messages import Reason, TaskKind
from watcher.worker.process_pool import WorkerFailed

PAGES = Path(__file__).parent.parent / "data" / "pages"


def line(name: str, url: str) -> str:
    return json.dumps({"id": name, "url": url, "html": (PAGES / f"{name}.html").read_text(encoding="utf-8")})


def run(lines: list[str]) -> tuple[int, list[dict[str, object]], str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stderr(err):
        code = asyncio.run(_clean_lines(lines, out))
    return code, [json.loads(one) for one in out.getvalue().splitlines()], err.getvalue()


@pytest.mark.slow
def test_each_page_gives_a_line_in_order_with_or_without_an_article() -> None:
    code, results, _ = run(
        [
            line("radio_wire", "https://b.example/1"),
            line("consent_wall", "https://c.example/1"),
            line("rtl", "https://s.example/1"),
        ]
    )

    assert code == 0
    assert [result["id"] for result in results] == ["radio_wire", "consent_wall", "rtl"]
    assert results[1]["text"] == ""
    assert "consent" in str(results[1]["error"])
    assert results[0]["published"] == "2024-06-18T09:12:00+04:00"


@pytest.mark.slow
def test_a_malformed_line_is_reported_and_the_rest_goes_on() -> None:
    code, results, err = run(["{", "[]", '{"id": 1}', line("rtl", "https://s.example/1"), ""])

    assert code == 3
    assert len(results) == 1
    assert [told.split(":")[0] for told in err.splitlines()] == ["line 1", "line 2", "line 3"]


@pytest.mark.slow
def test_a_mark_of_byte_order_costs_no_line() -> None:
    code, results, err = run(["\ufeff" + line("rtl", "https://s.example/1")])

    assert (code, [result["id"] for result in results], err) == (0, ["rtl"], "")


@pytest.mark.slow
def test_pages_of_one_site_learn_from_each_other() -> None:
    box = "<p>The harbour prize of the town is given each May to a person who did much for the sea.</p>"
    bodies = [
        "".join(
            f"<p>{word.title()} boats came in on day {n} with {word} nets, and the market was {word} until noon.</p>"
            for n in range(5)
        )
        for word in ("green", "heavy", "early", "quiet")
    ]
    pages = [
        json.dumps(
            {
                "id": at,
                "url": f"https://one.example/{at}",
                "html": f"<html><body><article>{body}{box}</article></body></html>",
            }
        )
        for at, body in enumerate(bodies)
    ]

    _, together, _ = run(pages)
    _, alone, _ = run(pages[:1])

    assert not any("harbour prize" in str(result["text"]) for result in together)
    assert "harbour prize" in str(alone[0]["text"])
    assert all(str(result["text"]).count("\n") == 4 for result in together)


@pytest.mark.slow
def test_many_pages_come_back_in_order() -> None:
    lines = [line("rtl", f"https://s{at}.example/1").replace('"id": "rtl"', f'"id": {at}') for at in range(12)]

    code, results, _ = run(lines)

    assert code == 0
    assert [result["id"] for result in results] == list(range(12))


@pytest.mark.slow
def test_a_line_that_utf_8_cannot_hold_costs_no_other_line() -> None:
    given = [
        '{"id": "\\ud800", "url": "https://a.example/1", "html": "<p>x"}',
        '{"id": "2", "url": "", "html": "<p>y"}',
    ]
    out = io.StringIO()

    asyncio.run(_clean_lines(given, out))

    assert [json.loads(line)["id"] for line in out.getvalue().encode().decode().splitlines()] == ["\ud800", "2"]


class StoppingPool:
    """Stands for a pool whose tasks run out of their time."""

    async def run(self, function, *args, limit_s):
        raise WorkerFailed(Reason(TaskKind.TOO_LONG, time=f"{limit_s:g}"))


async def test_a_page_that_takes_too_long_says_so() -> None:
    page = await _draft_in_pool(StoppingPool(), json.loads(line("rtl", "https://s.example/1")))

    assert (page.id, page.url, page.page) == ("rtl", "https://s.example/1", b"")
    assert page.reason == "cleaning the page took more than 20 s and was stopped"
