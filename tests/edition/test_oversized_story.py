"""A story that is larger than an event should be is told of in the edition's foot, in the status and in the numbers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from digests.edition.publish import render_all
from digests.metrics import metrics
from digests.settings.digests import digests_of
from digests.store.editions import claim, open_digests, save_edition
from digests.store.keys import EditionKey
from tests.compose.factories import END, article, by_id, compose_stories, make_context, story
from watcher.cli.main import run_command_line
from watcher.settings.load import load_settings_file
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow  # hundreds of reports are grouped

NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path, store_url):
    path = tmp_path / "settings.toml"
    path.write_text(f'[store]\nurl = "{store_url}"\n[[digests]]\nname = "world"\n')
    return load_settings_file(path)


@pytest.fixture
def status(settings, capsys):
    def ask(*arguments: str) -> str:
        assert run_command_line(["status", *arguments, "--config", str(settings.path)]) == 0
        return capsys.readouterr().out

    return ask


def edition(giant: int, others: int):
    """Return an edition of a story with `giant` reports and `others` with one."""
    one = [article(f"Q{n}", "Quake shakes Nepal", f"Report {n} tells of it.") for n in range(giant)]
    text = "Thing {} surprised the council of Brindle on Monday, and its mayor said so."
    rest = [article(f"O{n}", f"Thing {n} happens", text.format(n)) for n in range(others)]
    known = by_id(*one, *rest)
    stories = [story(*one), *(story(each) for each in rest)]
    return compose_stories(stories, make_context(known))


def keep(made, url: str) -> None:
    engine = open_digests(url)
    key = EditionKey(digest=made.digest, local_date=made.local_date)
    window = (END - timedelta(days=1), END)
    assert write(engine, claim, key, window=window, now=NOW)
    assert write(engine, save_edition, key, made)
    engine.dispose()


def foot(made, settings) -> str:
    text = render_all(made, digests_of(settings)[0], ("text",))[0].body.decode()
    return " ".join(text.split())


def told(status: str) -> list[str]:
    """Return what a status says of editions: their line, and what is indented under it."""
    lines = status.splitlines()
    at = next((n for n, line in enumerate(lines) if line.startswith("edition ")), len(lines))
    end = next((n for n in range(at + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    return lines[at:end]


def test_a_giant_story_stands_in_the_ledger_the_foot_and_the_status(settings, status):
    made = edition(60, 60)
    keep(made, settings.store.url)

    largest = made.ledger.largest
    assert (largest.reports, largest.of_reports, largest.share, largest.is_oversized) == (60, 120, 0.5, True)
    assert "The largest story, “Quake shakes Nepal”, has 60 of 120 reports." in foot(made, settings)
    line, warning = told(status())
    assert line.startswith(
        "edition  World Digest no. 1, 2026-03-10: 61 stories (12 in full, 15 in one line, 34 left out)"
    )
    assert line.endswith("; the largest has 50% of the reports")
    assert warning.endswith('story: "Quake shakes Nepal" has 60 of 120 reports; it may contain several events')
    assert json.loads(status("--json"))["editions"][0]["largest"]["share"] == 0.5


def test_an_ordinary_day_has_its_share_and_no_alarm(settings, status):
    made = edition(8, 112)
    keep(made, settings.store.url)

    assert (made.ledger.largest.share, made.ledger.largest.is_oversized) == (round(8 / 120, 4), False)
    assert "several events" not in foot(made, settings)
    (line,) = told(status())
    assert line.startswith("edition  World Digest no. 1, 2026-03-10: 113 stories (12 in full, ")
    assert line.endswith("; the largest has 7% of the reports")


def test_its_share_is_a_number_for_prometheus(settings):
    def shares():
        engine = open_digests(settings.store.url)
        found = {metric.name: metric.samples for metric in read(engine, lambda c: tuple(metrics(c, settings)))}
        engine.dispose()
        return [(sample.labels, sample.value) for sample in found["digests_largest_story_share"]]

    assert shares() == []
    keep(edition(60, 60), settings.store.url)

    assert shares() == [({"digest": "world"}, 0.5)]


def test_before_the_first_edition_the_status_has_none(settings, status):
    open_digests(settings.store.url).dispose()

    assert told(status()) == []
    assert json.loads(status("--json"))["editions"] == []
