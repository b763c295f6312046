"""`watcher alerts`: what each alert rule looked at, and why it sent a message or none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from digests.store.schema import stories
from digests.stories.follows import set_followed
from digests.stories.window import cluster_and_save
from tests.cli.conftest import SETTINGS
from tests.kinds import on
from watcher.store.writer import read, write

RULES = """
title = "The World"
mute = ["quiz"]
deliver = [{ channel = "webhook", url = "https://hooks.example/a" }]
[[digests.alerts]]
when = "outlets >= 3"
[[digests.alerts]]
words = ["quake*"]
[[digests.alerts]]
when = "followed"
"""
QUAKE = "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, {} said."


@pytest.mark.slow
def test_each_rule_is_followed_by_what_it_looked_at_and_why_nothing_was_sent(watcher, put, engine, tmp_path, store_url):
    now = datetime.now(UTC)
    put("Alfa", QUAKE.format("the mayor of the town"), now - timedelta(hours=3))
    put(
        "Bravo",
        "Film quiz. Which film of the seventies about a quake won four prizes in Hollywood?",
        now - timedelta(hours=2),
    )
    cluster_and_save(engine, start=now - timedelta(days=1), end=now, now=now)
    (story,) = read(
        engine, lambda c: c.execute(select(stories.c.id).where(stories.c.title.like("Quake shakes%"))).scalars()
    )
    write(engine, set_followed, story, followed=True, now=now)
    (tmp_path / "settings.toml").write_text(on(store_url, SETTINGS + RULES))

    code, out, _ = watcher("alerts")
    rows = json.loads(watcher("alerts", "--json")[1])

    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "The World: 1 article of the last 24 hours"
    assert lines[1:6] == [
        "[outlets >= 3]",
        f"  Quake shakes Tarvola  {story}",
        "    not sent: independent outlets that report it: 1, needed: 3",
        "[quake*]",
        f"  Quake shakes Tarvola  {story}",
    ]
    assert lines[6] == "    the daemon sends it when it looks next"
    assert lines[7].startswith("  Bravo: Film quiz  ")
    assert lines[8] == "    not sent: a phrase of `mute` is in its title"
    assert lines[9:11] == ["[followed]", f"  Quake shakes Tarvola  {story}"]
    assert lines[11].startswith("    not sent: no report since you followed it at ")
    assert [row["rule"] for row in rows] == ["outlets >= 3", "quake*", "quake*", "followed"]
    assert rows[0] == {
        "digest": "world",
        "rule": "outlets >= 3", "story": story, "article": None, "title": "Quake shakes Tarvola",
        "outcome": "not sent: independent outlets that report it: 1, needed: 3",
    }  # fmt: skip


def test_a_digest_without_a_rule_is_told_how_to_write_one(watcher):
    for arguments, message in (
        (["alerts"], "no digest has an alert rule"),
        (["alerts", "world"], "the digest 'world' has no alert rule"),
    ):
        code, _, error = watcher(*arguments)

        assert code == 1
        assert message in error
        assert "[[digests.alerts]]" in error
