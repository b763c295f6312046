"""Corrections and editions in any order: they hold, ids lead to their articles, and what is kept of stories is so."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from digests.cluster.constraints import resolve_corrections
from digests.errors import DigestError
from digests.store.schema import stories, story_articles
from digests.store.stories import active_corrections, load_corrections, revoke
from digests.store.story_rows import resolve_merged
from digests.stories.user_corrections import join, split
from digests.stories.window import cluster_and_save
from watcher.store.schema import articles
from watcher.store.writer import read, write

END = datetime(2026, 11, 24, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVENTS = (
    "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, Henrik Oster said {}.",
    "Brindle wins the Varga cup. The chess club of Brindle won the Varga cup in Lunden, Petra Moll said {}.",
    "Ferry aground off Marlow. The ferry Anna Lund ran aground off Marlow with 212 passengers, Joris Blake said {}.",
)


def members(engine):
    """Return the articles of each story."""
    found = defaultdict(set)
    with engine.connect() as connection:
        for story, article in connection.execute(select(story_articles.c.story_id, story_articles.c.article_id)):
            found[story].add(article)
    return dict(found)


def correct(engine, chance, known, now):
    """Do something at random that a reader may do; what is refused is nothing."""
    here = members(engine)
    one, other = chance.choice(sorted(known)), chance.choice(sorted(here))
    held = [each.number for each in read(engine, load_corrections) if each.revoked_at is None]
    try:
        match chance.choice(("split", "split", "join", "join", "forget")):
            case "split":
                gone = chance.sample(sorted(here[other]), chance.randint(1, len(here[other])))
                write(engine, split, other, gone, now=now)
            case "join":
                write(engine, join, one, other, now=now)
            case _ if held:
                write(engine, revoke, chance.choice(held), now=now)
    except DigestError:
        pass


def edition(engine, now):
    cluster_and_save(engine, start=now - 24 * HOUR, end=now, now=now)


def check(engine, known):
    """Check the store: each id that was ever seen leads to where most of its articles are, and rows say what is so."""
    here = members(engine)
    home = {article: story for story, found in here.items() for article in found}
    for story, had in known.items():
        row = read(engine, lambda c, story=story: resolve_merged(c, story))
        counts = Counter(home[article] for article in had)
        assert row.id == story if story in here else counts[row.id] == max(counts.values())
    times = select(func.min(articles.c.published_at), func.max(articles.c.published_at), func.count())
    times = times.join_from(articles, story_articles, articles.c.id == story_articles.c.article_id)
    with engine.connect() as connection:
        for row in connection.execute(select(stories).where(stories.c.merged_into.is_(None))).all():
            told = connection.execute(times.where(story_articles.c.story_id == row.id)).one()
            assert tuple(told) == (row.first_at, row.last_at, row.size)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_corrections_and_editions_in_any_order(put, engine, seed):
    chance = random.Random(seed)
    for n in range(12):
        put(f"Outlet{n}", EVENTS[n % 3].format(f"to reporter {n}"), END - (n + 1) * HOUR)
    edition(engine, END)
    known = members(engine)
    for step in range(14):
        now = END + step * HOUR
        correct(engine, chance, known, now)
        check(engine, known | members(engine))
        known |= members(engine)
        if chance.random() < 0.5:
            edition(engine, now + HOUR / 4)
            check(engine, known)
            rules, here = resolve_corrections(active_corrections(read(engine, load_corrections))), members(engine)
            home = {article: story for story, found in here.items() for article in found}
            assert all(len({home[article] for article in each}) == 1 for each in rules.together)
            assert not any(home[a] == home[b] for ours, theirs in rules.apart for a in ours for b in theirs)
            edition(engine, now + HOUR / 2)
            assert members(engine) == here
            known |= here
