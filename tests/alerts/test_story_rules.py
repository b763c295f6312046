"""Alerts on stories: who is told of what, when, and that nobody is told twice."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from digests.alerts.messages import _render_webhook, render_message
from digests.alerts.story_rules import StoryAlert, _count_dropped, _quiet_end, review_alerts, send_story_alerts
from digests.cluster.tracking import FOLLOWS, StoryEvent
from digests.compose.story import find_headline
from digests.delivery.outbox import OutboxWorker
from digests.edition.build import build_edition
from digests.edition.schedule import EditionRequest
from digests.model.delivery import OutboundMessage
from digests.model.story import MERGED, SPLIT
from digests.settings.digests import digests_of
from digests.store import outbox
from digests.store.keys import DAILY, StoryAlertKey
from digests.store.outbox import KNOWN, OVER_LIMIT, UNSENT, load_story_alerts
from digests.store.schema import stories
from digests.store.stories import _record_events
from digests.stories.follows import set_followed
from digests.stories.window import cluster_and_save
from tests.delivery.hook import listening
from tests.delivery.tables import deliver_table
from watcher.errors import SettingsError
from watcher.settings.load import parse_settings
from watcher.store.articles import compress
from watcher.store.schema import revisions
from watcher.store.writer import read, write

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY, HOUR = NOON.date(), timedelta(hours=1)
QUAKE = "Earthquake shakes harbour town of Tarvola. A strong earthquake shook Tarvola at dawn, and {} houses fell."
STORM = "Storm floods valley of Brenmark. The river Brenmark rose by two metres, and {} bridges are closed to traffic."
VOTE = "Senate of Ostrava elects Kowalska as speaker. Kowalska won the vote of the senate by {} votes over Dvorak."
FIVE = ("Alfa", "Bravo", "Charlie", "Delta", "Echo")
SETTINGS = """
[store]
url = "sqlite:///w.db"
[[digests]]
name = "world"
timezone = "Europe/Berlin"
deliver = [{{ channel = "webhook", url = "{url}" }}, {{ channel = "file", directory = "alerts" }}]
{alerts}
"""


class Desk:
    """A store with rules for alerts, and a web address that gets them."""

    def __init__(self, engine, put, hook, alerts: str, folder) -> None:
        self.engine, self.put, self.hook, self.now = engine, put, hook, NOON
        self.settings = parse_settings(SETTINGS.format(url=hook.url("/a"), alerts=alerts), folder / "settings.toml")
        self.url = engine.url.render_as_string(hide_password=False)

    def report(self, text: str, *outlets: str, ago: timedelta = HOUR / 4, **others) -> None:
        for n, outlet in enumerate(outlets):
            words = text.format(f"{ord(outlet[0]) - 40} according to {outlet}")
            self.put(outlet, words, self.now - ago + timedelta(minutes=n), **others)

    def look(self, hours: float = 0.0) -> list[str]:
        """Let time pass, look for alerts, and send those that are due; return the headlines that were sent."""
        self.now += hours * HOUR
        before = len(self.hook.posts)
        send_story_alerts(self.url, digests_of(self.settings), self.now)
        list(OutboxWorker(self.engine, self.settings, now=lambda: self.now).send_due())
        return [json.loads(post.body)["subject"] for post in self.hook.posts[before:]]

    def last(self) -> dict[str, str]:
        return json.loads(self.hook.posts[-1].body)


@pytest.fixture
def desk(engine, put, tmp_path):
    with listening() as hook:
        yield lambda *alerts: Desk(engine, put, hook, "".join(f"[[digests.alerts]]\n{a}\n" for a in alerts), tmp_path)


@pytest.mark.slow
def test_a_story_is_told_once_as_soon_as_enough_outlets_report_it(desk):
    world = desk('when = "outlets >= 3"')
    world.report(QUAKE, *FIVE[:2])
    assert world.look() == []

    world.report(QUAKE, FIVE[2], ago=HOUR / 8)
    assert world.look(0.1) == ["Earthquake shakes harbour town of Tarvola"]
    world.report(QUAKE, *FIVE[3:])
    assert world.look(0.1) == world.look(30) == []

    told = world.last()
    assert told["kind"] == "story"
    assert told["text"].splitlines() == [
        "Charlie, 12:52",
        told["url"],
        "3 outlets, 3 independent: Alfa, Bravo and Charlie",
        "[outlets >= 3]",
    ]


@pytest.mark.slow
def test_a_message_is_sent_once_although_the_process_was_killed_before_it_knew(desk):
    world = desk('when = "outlets >= 3"')
    world.report(QUAKE, *FIVE)
    send_story_alerts(world.url, digests_of(world.settings), world.now)  # and killed before a delivery

    assert world.look(0.1) == ["Earthquake shakes harbour town of Tarvola"]
    assert world.look(0.1) == []


@pytest.mark.slow
def test_copies_of_one_text_are_one_outlet_for_a_rule_and_countries_are_those_of_outlets(desk):
    world = desk('when = "outlets >= 3"', 'when = "countries >= 2"')
    for outlet in FIVE:
        world.put(outlet, QUAKE.format("forty"), world.now - HOUR)
    assert world.look() == []

    world.put("Foxtrot", QUAKE.format("fifty of the"), world.now, country="FR")
    assert world.look(0.1) == ["Earthquake shakes harbour town of Tarvola"]
    assert "United Kingdom and France" in world.last()["text"]


@pytest.mark.slow
def test_words_tell_a_story_of_one_outlet(desk):
    world = desk('words = ["quake*", "brenmark"]')
    world.report(QUAKE, "Alfa")
    world.report(STORM, "Alfa", ago=HOUR)
    world.report(VOTE, *FIVE, ago=2 * HOUR)

    assert world.look() == ["Storm floods valley of Brenmark"]


FERRY = "Ferry stops in the bay of Tarvola. The ferry from Tarvola has stopped in the bay, as {} passengers wait."
RESCUE = "80 rescued as ferry burns off Tarvola. The ferry from Tarvola burns in the bay; {} passengers waited."


@pytest.mark.slow
def test_a_report_with_the_word_in_its_title_and_news_of_its_own_is_told_although_its_story_was(desk):
    world = desk('words = ["tarvola"]')
    world.report(FERRY, "Alfa", ago=HOUR)
    assert world.look() == ["Ferry stops in the bay of Tarvola"]

    world.report(RESCUE, "Bravo", ago=HOUR / 8)
    assert world.look(0.1) == ["80 rescued as ferry burns off Tarvola"]
    told = world.last()
    assert told["text"].splitlines() == [
        "Bravo, 12:52",
        told["url"],
        "2 outlets, 2 independent: Alfa and Bravo",
        "[tarvola]",
    ]
    world.report(RESCUE.replace("80", "81"), *FIVE[2:4], ago=HOUR / 20)
    world.report(FERRY, "Echo", ago=HOUR / 30)

    assert read(world.engine, lambda c: len(c.execute(stories.select()).all())) == 1
    assert world.look(0.1) == world.look(1) == []


@pytest.mark.slow
def test_what_a_story_had_when_it_was_told_is_not_told_again(desk):
    world = desk('words = ["tarvola"]')
    world.report(FERRY, "Alfa", ago=HOUR)
    world.report(RESCUE, "Bravo", ago=HOUR / 2)

    assert len(world.look()) == 1
    assert world.look(0.1) == world.look(1) == []


@pytest.mark.slow
def test_a_message_by_a_word_names_the_report_that_has_the_word(desk):
    world = desk('words = ["divers"]')
    world.report(STORM.replace("and {} bridges", "divers search {} bridges which"), "Echo", ago=HOUR)
    world.report(STORM, *FIVE[:3], ago=HOUR / 2)
    world.report(VOTE, *FIVE[:3], ago=2 * HOUR)
    world.report(VOTE.replace("as speaker", "and divers, as speaker"), "Echo", ago=3 * HOUR)
    assert sorted(world.look()) == [
        "Senate of Ostrava elects Kowalska and divers, as speaker",
        "Storm floods valley of Brenmark",
    ]

    told = [json.loads(post.body)["text"] for post in world.hook.posts]
    assert all(text.startswith("Echo, ") for text in told)


TOLL = "Death toll of ferry fire rises to {}. Divers found more of the passengers of the ferry from Tarvola; {{}} wait."


@pytest.mark.slow
def test_news_of_a_followed_story_is_told_each_time_and_what_was_there_before_is_not(desk):
    world = desk('when = "followed"\nmost = 3')
    world.report(FERRY, "Alfa", ago=HOUR)
    world.report(STORM, "Alfa", ago=HOUR)
    assert world.look() == []
    (story,) = read(
        world.engine, lambda c: c.execute(select(stories.c.id).where(stories.c.title.like("Ferry%"))).scalars()
    )
    write(world.engine, set_followed, story, followed=True, now=world.now)
    world.report(FERRY, "Bravo", ago=HOUR / 12)
    world.report(STORM.replace("floods", "kills dozens in"), "Bravo", ago=HOUR / 12)
    assert world.look(0.1) == []  # the same news again, and news of a story that is not followed

    world.report(RESCUE, "Charlie", ago=HOUR / 12)
    assert world.look(0.5) == ["80 rescued as ferry burns off Tarvola"]
    assert world.last()["text"].splitlines()[-1] == "[followed]"
    world.report(TOLL.format(12), "Delta", ago=HOUR / 12)
    assert world.look(0.5) == ["Death toll of ferry fire rises to 12"]
    assert world.look(0.1) == []
    half_new = "Police arrest captain of ferry after fire off Tarvola"  # three words of six that no report had
    world.report(half_new, "Foxtrot", ago=HOUR / 12)
    assert world.look(0.5) == [half_new]

    world.report(TOLL.format(14).replace("Death toll", "Number of dead"), "Echo", ago=HOUR / 12)
    assert world.look(0.5) == []  # over the limit of the day
    assert OVER_LIMIT in {alert.state for alert in read(world.engine, load_story_alerts)}


@pytest.mark.slow
def test_two_rules_tell_a_story_once_by_one_channel_and_each_by_its_own(desk, tmp_path):
    both = desk('when = "outlets >= 3"', 'words = ["Tarvola"]', 'words = ["Tarvola"]\nchannels = ["file"]')
    both.report(QUAKE, *FIVE)

    assert both.look() == ["Earthquake shakes harbour town of Tarvola"]
    (file,) = (tmp_path / "alerts").iterdir()
    assert file.read_text().startswith("Earthquake shakes harbour town of Tarvola\n\nEcho, 12:49\nhttps://")


@pytest.mark.slow
def test_a_delivery_without_alerts_sends_none_and_another_of_its_channel_does(desk, tmp_path):
    silent = '{ channel = "file", directory = "books", alerts = false }'
    world = desk('when = "outlets >= 3"\nchannels = ["file"]')
    text = SETTINGS.replace('{{ channel = "file"', f'{{{silent}}}, {{{{ channel = "file"').format(
        url=world.hook.url("/a"), alerts='[[digests.alerts]]\nwords = ["Tarvola"]\nchannels = ["file"]\n'
    )
    world.settings = parse_settings(text, tmp_path / "settings.toml")
    world.report(QUAKE, *FIVE)

    assert world.look() == []  # nothing by the webhook

    assert len(list((tmp_path / "alerts").iterdir())) == 1
    assert not (tmp_path / "books").exists()


def test_a_rule_needs_a_delivery_that_sends_alerts(tmp_path):
    text = SETTINGS.format(url="https://a.example/hook", alerts="[[digests.alerts]]\nwords = ['Tarvola']\n")

    with pytest.raises(SettingsError, match="got an alert without a channel, expected one in `deliver`"):
        parse_settings(text.replace('/hook"', '/hook", alerts = false'), tmp_path / "settings.toml")


@pytest.mark.slow
def test_an_old_story_is_no_news(desk):
    world = desk('when = "outlets >= 3"')
    world.report(QUAKE, *FIVE, ago=13 * HOUR)
    world.report(STORM, *FIVE[:2], ago=14 * HOUR)
    world.report(STORM, *FIVE[2:])

    assert world.look() == ["Storm floods valley of Brenmark"]


@pytest.mark.slow
def test_another_story_of_the_thread_is_not_told_on_that_day(desk):
    world = desk('when = "outlets >= 3"')
    world.report(QUAKE, *FIVE)
    world.report(STORM, "Alfa")
    assert world.look() == ["Earthquake shakes harbour town of Tarvola"]
    write(world.engine, lambda c: c.execute(stories.update().values(thread="t1")))

    world.report(STORM, *FIVE[1:])
    world.report(VOTE, *FIVE, ago=HOUR)

    assert world.look(0.1) == ["Senate of Ostrava elects Kowalska as speaker"]


@pytest.mark.slow
def test_more_than_the_limit_of_the_day_are_dropped_and_the_next_message_counts_them(desk):
    world = desk('when = "outlets >= 3"\nmost = 1')
    world.report(QUAKE, *FIVE)
    world.report(STORM, *FIVE[:4], ago=HOUR)
    assert world.look() == ["Earthquake shakes harbour town of Tarvola"]
    assert world.look(1) == []

    world.report(VOTE, *FIVE, ago=-11 * HOUR)
    assert world.look(12) == ["Senate of Ostrava elects Kowalska as speaker"]
    assert world.last()["text"].endswith("1 more story met this rule, but the limit of the day was reached\n")


@pytest.mark.slow
def test_in_quiet_hours_messages_wait_until_their_end(desk):
    world = desk('when = "outlets >= 3"\nquiet = "13:30-23:00"')  # 12:30 to 22:00 UTC
    world.report(QUAKE, *FIVE, ago=-HOUR / 2)
    assert world.look(0.6) == []
    assert world.look(9.3) == []

    assert world.look(0.1) == ["Earthquake shakes harbour town of Tarvola"]


@pytest.mark.slow
def test_what_the_digest_leaves_out_is_not_told(desk):
    world = desk('when = "outlets >= 3"')
    digest = digests_of(world.settings)[0].model_copy(update={"mute": ("tarvola",), "regions": ("FR",)})
    world.report(QUAKE, *FIVE)
    world.report(STORM, *FIVE, ago=HOUR)
    world.report(f"France: {VOTE}", *FIVE, ago=2 * HOUR)

    send_story_alerts(world.url, (digest,), world.now)

    (found,) = read(world.engine, load_story_alerts)
    row = read(world.engine, outbox.deliveries_of, found)[0]
    message = read(world.engine, outbox.message_from_row, row)
    assert json.loads(message.forms[0].body)["subject"].startswith("France: Senate of Ostrava")


@pytest.mark.slow
def test_each_correction_of_a_report_that_an_edition_cites_is_told_once(desk, tmp_path):
    world = desk('when = "corrections"')
    world.report(QUAKE, *FIVE)
    digest, window = digests_of(world.settings)[0], (NOON - 24 * HOUR, NOON)
    day = EditionRequest(local_date=DAY, window_start=window[0], window_end=window[1], slot=DAILY)
    assert build_edition(world.engine, digest, day, now=NOON)
    assert world.look(1) == []

    for article in ("alfa-231145", "charlie-231147"):
        row = {"article_id": article, "at": NOON + HOUR, "kind": "changed", "title": "Earthquake spares Tarvola"}
        write(world.engine, lambda c, row=row: c.execute(revisions.insert().values(row | {"text": compress("None.")})))

    assert world.look(1) == ["Earthquake shakes harbour town of Tarvola"] * 2
    text = world.last()["text"]
    assert "Headline changed:\n“Earthquake shakes harbour town of Tarvola”\n“Earthquake spares Tarvola”\n" in text
    assert world.look(1) == []


def reviewed(world: Desk) -> dict[str, str]:
    """Return what became of each story and report that the rules look at, by its title."""
    review, found = review_alerts(world.engine, digests_of(world.settings)[0], now=world.now), {}
    for decision in review.decisions:
        of_story = find_headline(decision.candidate.item, review.inputs.context)
        title = decision.candidate.report.title if decision.candidate.report else of_story.text
        found[title] = decision.words
    return found


@pytest.mark.slow
def test_a_review_says_for_each_story_why_a_message_was_sent_or_not(desk):
    world = desk('when = "outlets >= 3"\nmost = 1')
    world.report(QUAKE, *FIVE)
    world.report(STORM, *FIVE, ago=HOUR)
    world.report(VOTE, *FIVE[:2], ago=2 * HOUR)
    before = reviewed(world)
    world.look()

    assert before["Storm floods valley of Brenmark"] == "the daemon sends it when it looks next"
    assert reviewed(world) == {
        "Storm floods valley of Brenmark": "sent at 2026-11-23 12:00 UTC",
        "Earthquake shakes harbour town of Tarvola": "not sent: the rule sends at most 1 a day (`most`)",
        "Senate of Ostrava elects Kowalska as speaker": ("not sent: independent outlets that report it: 2, needed: 3"),
    }


@pytest.mark.slow
def test_a_review_keeps_the_time_of_each_channel_if_another_one_is_added(desk, tmp_path):
    world, rule = desk('when = "outlets >= 3"'), '[[digests.alerts]]\nwhen = "outlets >= 3"\n'
    world.report(QUAKE, *FIVE)
    world.look()
    rule += 'channels = ["webhook", "file"]\n'
    world.settings = parse_settings(SETTINGS.format(url=world.hook.url("/a"), alerts=rule), tmp_path / "settings.toml")
    world.look(0.1)

    assert reviewed(world) == {
        "Earthquake shakes harbour town of Tarvola": "webhook: sent at 2026-11-23 12:00 UTC; "
        "file: sent at 2026-11-23 12:06 UTC"
    }


@pytest.mark.slow
def test_a_review_says_why_a_report_of_a_followed_story_is_no_news(desk):
    world = desk('when = "followed"')
    world.report(FERRY, "Alfa", ago=HOUR)
    world.look()
    (story,) = read(world.engine, lambda c: c.execute(select(stories.c.id)).scalars())
    write(world.engine, set_followed, story, followed=True, now=world.now)
    world.now += HOUR / 2
    world.report(FERRY.replace("Ferry stops", "Ferry still"), "Bravo", ago=HOUR / 12)
    world.report(RESCUE, "Charlie", ago=HOUR / 15)
    world.look(0.2)

    assert reviewed(world) == {
        "Ferry still in the bay of Tarvola": "not sent: 0 of the 3 words of its title are new, 2 are needed",
        "80 rescued as ferry burns off Tarvola": "sent at 2026-11-23 12:42 UTC",
    }


BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = (time(22), time(7))


@pytest.mark.parametrize(
    ("quiet", "now", "end"),
    [
        (NIGHT, "2026-11-23T21:30", "2026-11-24T06:00"),
        (NIGHT, "2026-11-24T05:59", "2026-11-24T06:00"),
        (NIGHT, "2026-11-24T06:00", None),
        (NIGHT, "2026-11-24T20:59", None),
        (NIGHT, "2026-10-24T21:00", "2026-10-25T06:00"),  # the night has ten hours
        (NIGHT, "2026-03-28T22:00", "2026-03-29T05:00"),  # and eight
        ((time(1), time(2, 30)), "2026-10-25T01:15", None),  # 02:15 for the second time
        ((time(9), time(10)), "2026-11-24T08:30", "2026-11-24T09:00"),
        (None, "2026-11-24T08:30", None),
    ],
)
def test_quiet_hours_end_at_their_local_time_also_when_the_clocks_change(quiet, now, end):
    found = _quiet_end(quiet, datetime.fromisoformat(f"{now}+00:00"), BERLIN)

    assert found == (datetime.fromisoformat(f"{end}+00:00") if end else None)


def note(engine, about: str, *, day: date = DAY, **others: str) -> None:
    place = StoryAlertKey(digest="world", local_date=day, about=about, rule="0c1d2e3f")
    message = OutboundMessage(channel="webhook", recipient="w.example", forms=())
    write(engine, outbox.enqueue, place, [message], now=NOON, **others)


def abouts(found) -> set[str]:
    return {each.about for each in found}


def event(kind: str, story: str, other: str) -> StoryEvent:
    return StoryEvent(kind=kind, story=story, other=other, articles=(), why="")


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([(MERGED, "s1", "s2")], {"s1", "s2"}),
        ([(MERGED, "s2", "s1")], {"s1", "s2"}),
        ([(SPLIT, "s1", "s2")], {"s1", "s2"}),
        ([(MERGED, "s1", "s2"), (SPLIT, "s2", "s3"), (MERGED, "s3", "s4")], {"s1", "s2", "s3", "s4"}),
        ([(SPLIT, "s2", "s3"), (MERGED, "s1", "s2")], {"s1", "s2"}),
        ([(FOLLOWS, "s2", "s1")], {"s1"}),
    ],
)
def test_of_a_join_or_a_split_both_stories_count_as_told(engine, events, told):
    note(engine, "s1")
    write(engine, _record_events, [event(*each) for each in events], now=NOON)

    write(engine, outbox.save_alerts, [], now=NOON)
    write(engine, outbox.save_alerts, [], now=NOON)

    found = read(engine, load_story_alerts)
    assert abouts(found) == told
    assert abouts([each for each in found if each.state not in UNSENT]) == {"s1"}


def test_a_small_part_that_leaves_a_told_story_may_be_told_itself(engine, put):
    for minute in range(7):
        put("Alfa", QUAKE.format("ten"), NOON + timedelta(minutes=minute))
    grouped = cluster_and_save(engine, start=NOON - HOUR, end=NOON + HOUR, now=NOON + HOUR)
    (story,) = {each.id for each in grouped.stories}
    note(engine, story)
    splits = [replace(event(SPLIT, story, f"s{n}"), articles=tuple("abcd"[:n])) for n in (2, 3, 4)]
    write(engine, _record_events, splits, now=NOON)

    write(engine, outbox.save_alerts, [], now=NOON)

    assert abouts(read(engine, load_story_alerts)) == {story, "s4"}


def test_a_join_from_before_an_alert_is_not_carried_and_one_during_it_is(engine):
    write(engine, _record_events, [event(SPLIT, "s1", "s2")], now=NOON)
    write(engine, outbox.save_alerts, [], now=NOON)
    note(engine, "s1")
    write(engine, outbox.save_alerts, [], now=NOON)
    assert abouts(read(engine, load_story_alerts)) == {"s1"}

    write(engine, _record_events, [event(MERGED, "s3", "s4")], now=NOON)
    write(engine, outbox.carry_alerts, now=NOON)
    add = lambda connection: outbox.enqueue(  # noqa: E731
        connection,
        StoryAlertKey(digest="world", local_date=DAY, about="s3", rule="0c1d2e3f"),
        [OutboundMessage(channel="webhook", recipient="w.example", forms=())],
        now=NOON,
    )
    write(engine, outbox.save_alerts, [add], now=NOON)

    assert abouts(read(engine, load_story_alerts)) == {"s1", "s3", "s4"}


def test_many_joins_of_one_story_are_carried_in_a_moment(engine):
    note(engine, "s0")
    events = [event(kind, "s0", f"s{n}") for n in range(1, 60) for kind in (SPLIT, MERGED)]
    write(engine, _record_events, events, now=NOON)

    write(engine, outbox.save_alerts, [], now=NOON)

    assert len(read(engine, load_story_alerts)) == 60


def test_alerts_are_forgotten_after_two_months(engine):
    note(engine, "s1")
    write(engine, outbox.save_alerts, [], now=NOON + timedelta(days=60))
    assert len(read(engine, load_story_alerts)) == 1

    write(engine, outbox.save_alerts, [], now=NOON + timedelta(days=62))

    assert read(engine, load_story_alerts) == ()


def test_an_alert_that_waits_names_its_story():
    key = StoryAlertKey(digest="world", local_date=DAY, about="s7fd2e70be5", rule="0c1d2e3f")

    assert (key.label, key.slot_name) == (f"{DAY}, an alert s7fd2e70be5", "an alert s7fd2e70be5 0c1d2e3f")


def test_an_alert_that_waits_for_the_end_of_quiet_hours_is_not_due_before(engine):
    note(engine, "s1")
    place = StoryAlertKey(digest="world", local_date=DAY, about="s2", rule="0c1d2e3f")
    message = OutboundMessage(channel="webhook", recipient="w.example", forms=())
    write(engine, outbox.enqueue, place, [message], now=NOON + 23 * HOUR)

    assert read(engine, outbox.count_due, now=NOON) == 1
    assert read(engine, outbox.count_due, now=NOON + 23 * HOUR) == 2
    assert read(engine, outbox.count_due, now=NOON - 30 * HOUR) == 2  # a wrong clock has set them


def test_what_was_dropped_since_the_last_message_is_counted(engine):
    rows = (("s1", 1, OVER_LIMIT), ("s2", 2, "sent"), ("s3", 2, OVER_LIMIT), ("s4", 3, KNOWN))
    for about, day, state in rows:
        note(engine, about, day=date(2026, 11, day), state=state)
    found = read(engine, load_story_alerts)

    assert _count_dropped(found) == 1
    assert _count_dropped(found[:1]) == 0


HOSTILE = StoryAlert(
    about="s1", digest="world", at=NOON, title="Quake *kills* <@everyone> [x](http://evil.example)",
    lines=("Alfa_Beta, 12:00", "https://a.example/x_y_z?a=1&b=2", "3 outlets: <!channel>"),
    url="https://a.example/x_y_z?a=1&b=2",
)  # fmt: skip


def test_a_headline_is_shown_literally_by_each_service_and_the_link_stays_whole():
    told = {
        shape: json.loads(_render_webhook(HOSTILE.message, shape=shape))
        for shape in ("ntfy", "slack", "discord", "apprise")
    }

    assert told["ntfy"]["click"] == HOSTILE.url
    assert "\n<https://a.example/x_y_z?a=1&amp;b=2>\n" in told["slack"]["text"]
    assert "&lt;!channel&gt;" in told["slack"]["text"]
    assert r"\*kills\* \<@everyone\> \[x\]\(http://evil.example\)" in told["discord"]["content"]
    assert f"\n{HOSTILE.url}\n" in told["discord"]["content"]
    assert HOSTILE.url in told["apprise"]["text"]
    assert not {"@everyone", "<!channel"} & set(re.findall(r"@everyone|<!channel", json.dumps(told["apprise"])))


def test_two_alerts_of_one_moment_are_two_files():
    way = deliver_table({"channel": "file", "directory": "x"})
    forms = [
        render_message(alert.message, way, "w@x.org", "x").forms for alert in (HOSTILE, replace(HOSTILE, about="s2"))
    ]

    assert forms[0][0].name != forms[1][0].name


def test_an_alert_in_a_maildir_is_to_the_first_reader_of_its_digest():
    way = deliver_table({"channel": "maildir", "directory": "x"})
    forms = [
        render_message(HOSTILE.message, way, "w@x.org", "x", readers=readers).forms
        for readers in (("Ann <ann@x.org>", "bob@x.org"), ())
    ]

    assert [message_from_bytes(form.body)["To"] for (form,) in forms] == ["ann@x.org", "you@localhost"]
