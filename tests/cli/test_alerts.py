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
ARMY = (
    "Spain deploys army after Valencia floods. Spain sent 500 soldiers to Valencia after floods closed roads, the "
    "government in Madrid said."
)
DAM = (
    "Death toll in Valencia floods rises to 17 as dam near Utiel cracks. A dam near Utiel is close to bursting after "
    "the storm, and 17 people are dead in the east of Spain, rescuers said."
)


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


@pytest.mark.slow
def test_a_story_near_a_followed_one_is_named_with_the_command_that_joins_them(
    watcher, put, engine, tmp_path, store_url
):
    now = datetime.now(UTC)
    first = put("Alfa", ARMY, now - timedelta(hours=3))
    report = put("Bravo", DAM, now - timedelta(hours=1))
    put("Charlie", "Chess club wins cup. The chess club of Brindle won the Varga cup.", now - timedelta(hours=5))
    grouped = cluster_and_save(engine, start=now - timedelta(days=1), end=now, now=now)
    home = {key: story for story in grouped.stories for key in story.articles}
    followed, apart = home[first.id], home[report.id]
    write(engine, set_followed, followed.id, followed=True, now=now - timedelta(hours=2))
    (tmp_path / "settings.toml").write_text(on(store_url, SETTINGS + RULES))

    before = watcher("alerts")[1].partition("[followed]\n")[2].splitlines()

    title, command = "Spain deploys army after Valencia floods", f"watcher story join {followed.id} {apart.id}"
    assert before[0] == f"  {title}  {followed.id}"
    assert before[2] == f"  {report.title}  {apart.id}"
    assert before[3].startswith(f'    not sent: it is kept apart from "{title}", which you follow (probability of')
    assert before[3].endswith(f"if it belongs there, join them: {command}")

    assert watcher(*command.split()[1:])[0] == 0
    joined = watcher("alerts")[1]
    assert "join them" not in joined
    assert f"  Bravo: {report.title}  {report.id}\n    the daemon sends it" in joined
