"""
Two days of the sample press: stories keep their ids, and what the second day brings is told as what is new.

After the first day the reader follows a story, and on a third day there is no news.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digests.edition.schedule import EditionRequest
from digests.model.edition import Edition
from digests.settings.digests import digests_of
from digests.store.editions import open_digests
from digests.store.keys import Slot, SlotKind
from tests.demo_press import Label, PressServer, labels
from tests.edition.factory import make_edition
from tests.end_to_end.run import HEAD
from tests.kinds import on
from watcher.cli.main import run_command_line as run_command
from watcher.cli.poll import run_poll
from watcher.settings.load import load_settings_file
from watcher.store.articles import articles_by_id
from watcher.store.writer import read

pytestmark = pytest.mark.slow  # polls a press twice, which takes ten seconds


FOLLOWED = "hrafnfell-ash"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoDays:
    settings: Path
    editions: tuple[Edition, Edition]
    third: Edition  # of a day without a report
    labels: dict[str, Label]  # by article id


@pytest.fixture(scope="module")
def days(tmp_path_factory, store_of_module) -> TwoDays:
    return asyncio.run(two_days(tmp_path_factory.mktemp("press"), store_of_module))


async def two_days(folder: Path, store_url: str) -> TwoDays:
    """Poll the press as it was yesterday, make an edition, and do the same today."""
    now, port, keys = datetime.now(UTC), 0, {}
    made: list[Edition] = []
    path = folder / "settings.toml"
    for day in (1, 2):
        async with PressServer(now=now - timedelta(days=2 - day), day=day, port=port) as press:
            port = press.port
            head = on(store_url, HEAD.format(embedder="none"))
            path.write_text(head + press.settings_toml(host_delay="0.1s"), encoding="utf-8")
            settings = load_settings_file(path)
            engine = open_digests(settings.store.url)
            await run_poll(settings, engine, everything=True, quiet=True)
            end = datetime.now(UTC)
            order = EditionRequest(
                local_date=(now - timedelta(days=2 - day)).date(),
                window_start=end - timedelta(days=3 - day, hours=1),
                window_end=end,
                slot=Slot(kind=SlotKind.DEMO),
            )
            edition = make_edition(engine, digests_of(settings)[0], order, now=end)
            assert edition is not None
            made.append(edition)
            listed = [brief for story in edition.stories for brief in story.related]
            shown = [key for each in (*edition.stories, *listed, *edition.briefs) for key in each.article_ids]
            found = read(engine, lambda c, ids=shown: articles_by_id(c, ids))
            keys |= {article.id: press.key(article.url) for article in found.values()}
            if day == 1:
                followed = next(s for s in edition.stories if labels(day=2)[keys[s.article_ids[0]]].story == FOLLOWED)
                assert run_command(["follow", str(followed.number), "--config", str(path)]) == 0
            else:
                later = replace(
                    order,
                    local_date=order.local_date + timedelta(days=1),
                    window_start=end,
                    window_end=end + timedelta(days=1),
                )
                third = make_edition(engine, digests_of(settings)[0], later, now=later.window_end)
                assert third is not None
            engine.dispose()
    truth = {key: labels(day=2)[each] for key, each in keys.items()}
    return TwoDays(settings=path, editions=(made[0], made[1]), third=third, labels=truth)


def by_label(days: TwoDays, edition: Edition):
    """Return the stories of an edition by the label of their articles."""
    found = defaultdict(list)
    for story in edition.stories:
        for label in {days.labels[key].story for key in story.article_ids}:
            found[label].append(story)
    return found


TWO_DAYS = pytest.mark.xfail(
    strict=True, reason="the fitted grouping does not hold this invented story over two days (decision 0062)"
)


@TWO_DAYS
def test_a_story_of_both_days_keeps_its_id_and_is_on_its_second_day(days):
    first, second = (by_label(days, edition) for edition in days.editions)
    both = {
        label for label in first.keys() & second.keys()
        if any(days.labels[key].day == 2 for story in second[label] for key in story.article_ids)
    }  # fmt: skip
    kept = {label for label in both if {s.id for s in second[label]} <= {s.id for s in first[label]}}

    assert {"valparaiso-dockers", "hrafnfell-ash"} <= kept
    for label in kept:
        assert [story.status for story in second[label]] == ["developing"]
        assert [story.day for story in second[label]] == [2]


def test_nothing_of_the_first_day_is_told_as_new_on_the_second(days):
    for story in days.editions[1].stories:
        if all(days.labels[key].day == 1 for key in story.article_ids):
            assert story.status != "new"


def test_what_is_said_to_be_new_stands_in_articles_of_the_second_day(days):
    said = [sentence for story in days.editions[1].stories for sentence in story.updates]

    assert said
    assert {days.labels[sentence.article_id].day for sentence in said} == {2}


def test_the_corrected_article_is_reported_with_both_figures(days):
    (corrected,) = [label for label in days.labels.values() if label.corrections]
    ((old, new),) = corrected.corrections

    assert days.editions[0].corrections == ()
    (told,) = days.editions[1].corrections
    assert (told.kind, told.outlet, days.labels[told.article_id]) == ("figures", corrected.outlet.name, corrected)
    assert old in told.before and new in told.after


def test_what_is_new_is_found_for_every_story_that_goes_on(days):
    news = {label.story for label in days.labels.values() if label.day == 2}
    second = by_label(days, days.editions[1])
    goes_on = news & {label.story for label in days.labels.values() if label.day == 1}

    assert goes_on
    for label in goes_on:
        assert any(story.status == "developing" and story.updates for story in second[label]), label
    for label in news - goes_on:
        assert all(story.status == "new" for story in second[label]), label


def test_a_story_that_goes_on_is_not_said_to_be_over(days):
    gone = {days.labels[key].story for brief in days.editions[1].ended for key in brief.article_ids}

    assert gone
    assert gone.isdisjoint(by_label(days, days.editions[1]))


def test_a_story_keeps_its_country_when_the_next_days_reports_do_not_name_it(days):
    first, second = (by_label(days, edition)["valparaiso-dockers"][0] for edition in days.editions)

    assert second.place_codes == first.place_codes == ("CL",)


def test_each_edition_is_proved_by_the_articles_and_their_revisions(days, capsys):
    assert run_command(["verify", "--all", "--config", str(days.settings)]) == 0


def test_every_id_that_an_edition_showed_is_found(days, capsys):
    for edition in days.editions:
        for story in (*edition.stories, *edition.briefs):
            assert run_command(["story", story.id, "--json", "--config", str(days.settings)]) == 0
            told = json.loads(capsys.readouterr().out)
            shown = {key for report in told["reports"] for key in (a["id"] for a in report["articles"])}
            assert set(story.article_ids) <= shown


@TWO_DAYS
def test_a_followed_story_is_first_on_the_second_day_with_what_is_new(days):
    first, second = days.editions
    before = next(story for story in first.stories if days.labels[story.article_ids[0]].story == FOLLOWED)

    assert not any(section.followed for section in first.sections)
    assert [section.followed for section in second.sections] == [True, *[False] * (len(second.sections) - 1)]
    (lead,) = second.sections[0].stories
    assert (before.number > 1, lead.number, lead.id) == (True, 1, before.id)
    assert lead.updates
    assert sum(FOLLOWED in {days.labels[key].story for key in each.article_ids} for each in second.stories) == 1


@TWO_DAYS
def test_a_day_without_a_report_says_that_nothing_is_new_in_a_followed_story(days, capsys):
    (line,) = days.third.briefs

    assert (line.id, line.quiet_days) == (days.editions[1].stories[0].id, 1)
    assert line.id not in {brief.id for brief in days.third.ended}
    assert run_command(["follow", "--json", "--config", str(days.settings)]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [line.id]


@TWO_DAYS
def test_an_edition_with_a_followed_story_is_replayed_byte_for_byte(days, tmp_path, capsys):
    command = ["replay", str(days.third.local_date), "--directory", str(tmp_path), "--config", str(days.settings)]

    assert [run_command(command), run_command([*command, "--check"])] == [0, 0]
    assert "nothing new for 1 day" in (tmp_path / f"{days.third.local_date}.md").read_text(encoding="utf-8")
