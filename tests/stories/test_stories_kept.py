"""Stories in the store: their ids last from day to day, and who knows an old one is told where its articles are."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from digests.edition.schedule import EditionRequest
from digests.settings.digests import DigestSettings
from digests.store import stories as store
from digests.store.keys import DAILY
from digests.store.schema import stories, story_articles, story_changes
from digests.stories.history import load_story_details
from digests.stories.window import cluster_and_save
from tests.edition.factory import make_edition
from watcher.model import Source
from watcher.store.feeds import feed_states, sync_sources
from watcher.store.writer import read, write

MORNING = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUAKE = (
    "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, mayor Henrik Oster said {}."
)
CHESS = "Brindle wins the Varga cup. The chess club of Brindle won the Varga cup in Lunden, captain Petra Moll said {}."
AFTER = "Tarvola counts the damage. The quake felled 212 houses in the Dressel, mayor Henrik Oster said {}."


def until(engine, days=0.0, **more):
    end = MORNING + days * DAY
    return cluster_and_save(engine, start=end - DAY, end=end, now=end, **more).stories


def rows(engine, table):
    return read(engine, lambda c: [dict(row._mapping) for row in c.execute(select(table))])


def with_articles(found, *articles):
    (story,) = [story for story in found if {article.id for article in articles} <= set(story.articles)]
    return story


def test_a_story_keeps_its_id_from_day_to_day_also_when_an_earlier_article_comes_in(engine, put):
    first = put("Herald", QUAKE.format("at dawn"), MORNING - 3 * HOUR)
    monday = with_articles(until(engine), first)
    earlier = put("Courier", QUAKE.format("in the night"), MORNING - 5 * HOUR, MORNING + HOUR)
    put("Tribune", QUAKE.format("on the radio"), MORNING + 2 * HOUR)

    tuesday = with_articles(until(engine, 1), first, earlier)

    assert tuesday.id == monday.id
    assert tuesday.articles[0] == earlier.id
    assert tuesday.began_at == earlier.published_at


def test_what_is_kept_is_kept_once(engine, put):
    for n, outlet in enumerate(("Herald", "Courier", "Tribune")):
        put(outlet, QUAKE.format(f"to reporter {n}"), MORNING - n * HOUR)
        put(outlet, CHESS.format(f"to reporter {n}"), MORNING - (n + 4) * HOUR)
    first = until(engine)
    before = [rows(engine, table) for table in (stories, story_articles, story_changes)]

    assert until(engine) == first
    assert [rows(engine, table) for table in (stories, story_articles, story_changes)] == before
    assert len(first) == 2


def test_two_at_once_keep_the_same_stories(engine, put):
    for n, outlet in enumerate(("Herald", "Courier", "Tribune")):
        put(outlet, QUAKE.format(f"to reporter {n}"), MORNING - n * HOUR)
    found = []
    threads = [threading.Thread(target=lambda: found.append(until(engine))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len({story.id for each in found for story in each}) == 1
    assert read(engine, store.current_version).number == 4


def test_looking_back_gives_the_stories_that_were_kept(engine, put):
    early = put("Herald", QUAKE.format("at dawn"), MORNING - 3 * HOUR)
    monday = with_articles(until(engine), early)
    put("Tribune", QUAKE.format("on the radio"), MORNING + 2 * HOUR)
    until(engine, 1)
    changes = rows(engine, story_changes)
    missed = put("Courier", CHESS.format("late"), MORNING - 2 * HOUR, MORNING - HOUR)

    again = until(engine)

    assert with_articles(again, early).id == monday.id
    assert with_articles(again, missed).articles == (missed.id,)
    assert rows(engine, story_changes) == changes
    assert read(engine, store.current_version).until == MORNING + DAY


def test_each_link_is_told_with_what_it_was_made_by(engine, put):
    first = put("Herald", QUAKE.format("at dawn"), MORNING - 3 * HOUR)
    second = put("Tribune", QUAKE.format("when our Lunden office rang him up, after a long night"), MORNING - HOUR)
    (story,) = until(engine)

    members = read(engine, load_story_details, story.id).members

    assert {member.nearest for member in members.values()} in ({first.id, second.id}, {None})
    for member in members.values():
        if member.evidence:
            assert {"tarvola", "dressel", "oster"} <= set(member.evidence["names"])
            assert member.evidence["hours_apart"] == 2.0
            assert 0 < member.evidence["score"] <= 3


def test_a_follow_up_is_in_the_thread_of_the_event_when_the_window_has_lost_it(engine, put):
    quake = [
        put(name, QUAKE.format(f"to {name}"), MORNING - (n + 1) * HOUR) for n, name in enumerate(("Herald", "Post"))
    ]
    chess = [put(name, CHESS.format(f"to {name}"), MORNING - (n + 1) * HOUR) for n, name in enumerate(("Sun", "Star"))]
    monday = until(engine)
    later = [
        put(name, AFTER.format(f"to {name}"), MORNING + 25 * DAY - (n + 1) * HOUR)
        for n, name in enumerate(("Herald", "Post"))
    ]

    found = until(engine, 25)

    follow = with_articles(found, *later)
    event = with_articles(monday, *quake)
    assert follow.id != event.id
    assert follow.thread == event.thread != with_articles(monday, *chess).thread
    assert follow.began_at == event.began_at


def test_digests_of_other_sources_share_their_stories(engine, put):
    sources = [Source(url=f"https://{name}.example/feed", name=name, language="en") for name in ("One", "Two")]
    write(engine, sync_sources, sources, now=MORNING)
    feeds = {state.feed.source.name: state.feed.id for state in read(engine, feed_states)}
    for n, name in enumerate(feeds):
        put(name, QUAKE.format(f"to reporter {n}"), MORNING - (n + 1) * HOUR, feed_id=feeds[name])
    made = {}
    for name, words in (("world", []), ("two", ["Two"])):
        digest = DigestSettings.model_validate({"name": name, "sources": words}, context={})
        order = EditionRequest(local_date=MORNING.date(), window_start=MORNING - DAY, window_end=MORNING, slot=DAILY)
        made[name] = make_edition(engine, digest, order, now=MORNING)

    (world,), (two,) = ((*each.stories, *each.briefs) for each in made.values())
    assert world.id == two.id
    assert (world.outlets, two.outlets) == (2, 1)


HERALD = """Quake shakes Tarvola. Two houses collapsed in Tarvola when a quake of magnitude 5.4 shook the Dressel.
Rescuers reached everyone within the hour, and a school in Marnitz was opened for those who cannot go home.
The road along the river stays closed until engineers have looked at both of its bridges, the district office said.
Trains run on one track only because stones lie on the other, and they will be late until the end of the week.
Schools in three villages stay shut on Tuesday, and the army has sent forty soldiers with tents and kitchens."""
REWRITTEN = """Dressel valley shaken at dawn. A quake of magnitude 5.4 has cost two families in Tarvola their houses.
Nobody was hurt: rescuers reached everyone within the hour. A baker handed out bread to the neighbours on the square.
The road stays closed until engineers have looked at both of its bridges, and the mayor asks people to stay away.
Commuters need patience too, for stones lie on the track and trains will be late until the end of the week.
The army has sent forty soldiers with tents and kitchens, said mayor Henrik Oster, who spoke of a hard day."""


def test_a_rewritten_copy_is_in_the_report_of_its_source_in_the_edition_and_by_itself(engine, put):
    source = put("Herald", HERALD, MORNING - 5 * HOUR)
    copy = put("Courier", REWRITTEN, MORNING - 3 * HOUR)
    world = DigestSettings.model_validate({"name": "world"}, context={})
    request = EditionRequest(local_date=MORNING.date(), window_start=MORNING - DAY, window_end=MORNING, slot=DAILY)

    edition = make_edition(engine, world, request, now=MORNING)
    (told,) = edition.stories
    found = read(engine, lambda c: load_story_details(c, told.id))

    assert (told.outlets, told.independent, told.folded) == (2, 1, 1)
    assert [report.articles for report in found.story.wire_groups] == [(source.id, copy.id)]
    assert found.coverage.independent == ("Herald",)
    assert found.copies[copy.id].added > 0
    assert {member.nearest for member in found.members.values()} == {None}
