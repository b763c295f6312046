"""
Measures the site: a store of many sources, articles, stories and editions, then each kind of page asked for.

    python bench/web_speed.py                       # 1,000 sources, 200,000 articles, 400 editions
    python bench/web_speed.py --articles 20000 --store /tmp/web.db    # keeps the store, and takes it if it is there

Prints milliseconds at the server (median and slowest of many, with the CPU of it: other work on the machine shows in
the first alone) and bytes of each kind of page.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx
from sqlalchemy import Connection, Engine

from digests import edition_json
from digests.edition.build import build_edition
from digests.edition.schedule import EditionRequest
from digests.settings.digests import digests_of
from digests.store.editions import open_digests
from digests.store.keys import DAILY
from digests.store.schema import editions, stories, story_articles
from watcher.features.extract import encode, extract_features
from watcher.model import Article, Source
from watcher.settings.load import settings_model
from watcher.store.articles import compress, count_articles, index_document
from watcher.store.feeds import sync_sources
from watcher.store.full_text import full_text_index
from watcher.store.schema import articles, entries, features, polls, texts
from watcher.store.writer import read, write
from watcher.web.app import make_app
from watcher.web.site import Site, load_site_plugins

LAST = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
SPAN = timedelta(days=400)
GROUP = 5  # articles a story
BATCH = 1_000
POLLS = 100  # a source
TIMES = 40  # each kind of page is asked for


def main() -> None:
    """Fill a store unless it is there, and print a line for each kind of page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=200_000)
    parser.add_argument("--sources", type=int, default=1_000)
    parser.add_argument("--editions", type=int, default=400)
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.store or Path(folder) / "watcher.db"
        is_there = path.exists()
        engine = open_digests(f"sqlite:///{path}")
        if not is_there:
            began = time.perf_counter()
            fill(engine, given.articles, given.sources, given.editions)
            print(f"filled in {time.perf_counter() - began:.0f} s, {path.stat().st_size / 1e6:.0f} MB", flush=True)
        asyncio.run(measure(engine))
        engine.dispose()


def fill(engine: Engine, count: int, sources: int, days: int) -> None:
    """Put everything into the store."""
    rows = [Source(url=f"https://outlet{n}.example/feed", name=f"Outlet {n}") for n in range(sources)]
    write(engine, sync_sources, rows, now=LAST)
    for start in range(0, sources, 20):
        write(engine, lambda c, start=start: c.execute(polls.insert(), poll_rows(start, min(start + 20, sources))))  # type: ignore[misc]
    made = list(articles_made(count, sources))
    for start in range(0, count, BATCH):
        part = made[start : start + BATCH]
        write(engine, lambda c, part=part: put(c, part, sources))  # type: ignore[misc]
    settings = settings_model()()
    end = LAST
    order = EditionRequest(local_date=end.date(), window_start=end - timedelta(days=1), window_end=end, slot=DAILY)
    built = build_edition(engine, digests_of(settings)[0], order, now=end)
    assert built is not None and built.edition.stories
    edition = built.edition
    for n in range(1, days):
        day: date = edition.local_date - timedelta(days=n)
        earlier = replace(edition, local_date=day, number=days - n, made_at=end - timedelta(days=n))
        row = {
            "digest": edition.digest, "local_date": day, "slot": DAILY, "number": days - n, "claimed_by": "bench:1:0",
            "window_start": edition.window_start, "window_end": edition.window_end, "made_at": earlier.made_at,
            "claimed_at": earlier.made_at, "payload": zlib.compress(edition_json.dump(earlier), 6),
        }  # fmt: skip
        write(engine, lambda c, row=row: c.execute(editions.insert(), [row]))  # type: ignore[misc]


def poll_rows(first: int, last: int) -> list[dict[str, object]]:
    """Return the polls of some sources, half of them without anything new."""
    return [
        {
            "feed_id": feed + 1, "at": LAST - timedelta(minutes=30 * n), "status": "unchanged" if n % 2 else "ok",
            "new": 0, "changed": 0, "held_back": 0, "took_s": 0.2,
        }
        for feed in range(first, last)
        for n in range(POLLS)
    ]  # fmt: skip


def articles_made(count: int, sources: int) -> Iterator[Article]:
    """Yield articles, `GROUP` of them on one event: the first two carry one text."""
    rng = random.Random(1)
    parts = ("ka", "lo", "mi", "ren", "tu", "sa", "vel", "do", "shi", "par", "ne", "gor", "an", "be", "lu", "ti")
    words = ["".join(rng.choices(parts, k=rng.randint(2, 4))) for _ in range(30_000)]
    weights = [1 / (n + 5) for n in range(len(words))]
    pool = rng.choices(words, weights, k=400_000)
    at = 0
    for n in range(count):
        group, place = divmod(n, GROUP)
        names = " ".join(words[(group * 7 + k) % len(words)].title() for k in range(4))
        at = at if place == 1 else rng.randrange(len(pool) - 200)
        body = pool[at : at + 140]
        lines = [" ".join((names, *body[k : k + 20])).capitalize() + f", {names} said." for k in range(0, 140, 20)]
        when = LAST - SPAN * (1 - (n + 1) / (count + 1))
        outlet = rng.randrange(sources)
        yield Article(
            id=f"{n:016x}",
            url=f"https://outlet{outlet}.example/{n}",
            host=f"outlet{outlet}.example",
            outlet=f"Outlet {outlet}",
            title=f"{names} {' '.join(body[:5])}",
            text="\n".join(lines),
            language="en",
            country="GB",
            published_at=when,
            fetched_at=when,
        )


def put(connection: Connection, part: list[Article], sources: int) -> None:
    """Store articles with their stories, and the features of the last day's."""
    same = [column.key for column in articles.c if column.key not in ("feed_id", "authors")]
    rows = [
        {name: getattr(one, name) for name in same}
        | {"feed_id": int(one.outlet.split()[1]) % sources + 1, "authors": []}
        for one in part
    ]
    connection.execute(articles.insert(), rows)
    connection.execute(
        texts.insert(), [{"article_id": a.id, "text": compress(a.text), "removed": compress("[]")} for a in part]
    )
    connection.execute(
        entries.insert(),
        [
            {"feed_id": row["feed_id"], "guid": a.id, "content_hash": "", "link": a.url, "article_id": a.id,
             "first_seen_at": a.fetched_at}
            for row, a in zip(rows, part, strict=True)
        ],
    )  # fmt: skip
    full_text_index(connection).add(map(index_document, part))
    late = [one for one in part if one.published_at >= LAST - timedelta(days=1)]
    if late:
        made = [(one, extract_features(one.id, title=one.title, text=one.text, language="en")) for one in late]
        connection.execute(
            features.insert(), [{"article_id": a.id, "version": f.version, "payload": encode(f)} for a, f in made]
        )
    in_stories(connection, [one for one in part if one.published_at < LAST - timedelta(days=1)])


def in_stories(connection: Connection, part: list[Article]) -> None:
    """Store the stories of articles, `GROUP` each, two reports of two and three."""
    groups = [part[n : n + GROUP] for n in range(0, len(part) - GROUP + 1, GROUP)]
    if not groups:
        return
    connection.execute(
        stories.insert(),
        [
            {"id": f"s{g[0].id[-10:]}", "thread": f"t{int(g[0].id, 16) // 15:010x}", "title": g[0].title,
             "language": "en", "size": GROUP, "first_at": g[0].published_at, "last_at": g[-1].published_at,
             "began_at": g[0].published_at, "merged_ids": []}
            for g in groups
        ],
    )  # fmt: skip
    connection.execute(
        story_articles.insert(),
        [
            {"article_id": a.id, "story_id": f"s{g[0].id[-10:]}", "report": g[0].id if n < 2 else a.id}
            for g in groups
            for n, a in enumerate(g)
        ],
    )


async def measure(engine: Engine) -> None:
    """Print a line for each kind of page."""
    settings = settings_model()()
    site = Site(settings=settings, engine=engine, plugins=load_site_plugins(settings, engine), now=lambda: LAST)
    clock = iter(range(0, 100_000_000, 60))  # so that no limit is met
    app = make_app(site, clock=lambda: float(next(clock)))
    rng = random.Random(2)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8420", timeout=600
    ) as client:
        today = (await client.get("/")).text
        told = re.findall(r'href="(/story/[^"]+)"', today)
        count = read(engine, count_articles)
        ids = [f"{rng.randrange(count // GROUP - 200) * GROUP:016x}" for _ in range(TIMES)]
        words = sorted(set(re.findall(r"[a-z]{4,}", today)))
        kinds = {
            "/": ["/"] * TIMES,
            "/digest/NAME/DATE": [f"/digest/world/{LAST.date() - timedelta(days=n)}" for n in range(TIMES)],
            "/archive": ["/archive"] * TIMES,
            "/archive/MONTH, the first time": [f"/archive/2026-{n:02}" for n in range(1, 11)],
            "/story/ID of today": [told[n % len(told)] for n in range(TIMES)],
            "/story/ID of old": [f"/story/s{key[-10:]}" for key in ids],
            "/article/ID": [f"/article/{key}" for key in ids],
            "/sources": ["/sources"] * TIMES,
            "/sources/page-5": ["/sources/page-5"] * TIMES,
            "/sources/ID": [f"/sources/{n + 1}" for n in range(TIMES)],
            "/search": [f"/search?q={rng.choice(words)}" for _ in range(TIMES)],
            "/search, two words": [f"/search?q={rng.choice(words)}+{rng.choice(words)}" for _ in range(TIMES)],
            "/feed.atom": ["/feed.atom"] * TIMES,
        }
        for kind, asked in kinds.items():
            took, spent, most, bad = [], [], 0, 0
            for path in asked:
                began, cpu = time.perf_counter(), time.process_time()
                answer = await client.get(path)
                took.append((time.perf_counter() - began) * 1e3)
                spent.append((time.process_time() - cpu) * 1e3)
                most, bad = max(most, len(answer.content)), bad + (answer.status_code != 200)
            note = f", {bad} not 200" if bad else ""
            print(
                f"{kind:30} median {median(took):6.1f} ms (CPU {median(spent):5.1f}), slowest {max(took):7.1f} ms"
                f" (CPU {max(spent):6.1f}), {most / 1e3:5.1f} kB{note}",
                flush=True,
            )


if __name__ == "__main__":
    main()
