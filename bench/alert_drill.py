"""
Replays weeks of headlines through the store, the grouping and the alerts on stories, and kills the process at random.

    python bench/alert_drill.py --data ARTICLES.jsonl --kills 60    # lines {id, title, body, lang, published, cluster}
    python bench/alert_drill.py --data ARTICLES.jsonl --step 60     # minutes between two looks, 30 by default

The headlines have no outlet, so each gets one of `OUTLETS` by its id. Time is that of the headlines. In each step a new
process stores the articles of the step, looks for alerts and sends them to a web address on this machine. With kills,
it is ended by SIGKILL at a random moment and started again. Prints how many stories were told, when, and how many
labelled events met the rule; and compares the run with one that was never killed. Exits with 1 if a story was told
twice, or told in one run alone.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from digests.alerts.story_rules import send_story_alerts
from digests.delivery.outbox import OutboxWorker
from digests.model.story import MERGED, SPLIT
from digests.settings.digests import digests_of
from digests.store.editions import open_digests
from digests.store.outbox import KNOWN, OVER_LIMIT, UNSENT, load_story_alerts
from digests.store.schema import story_articles, story_changes
from tests.delivery.hook import Hook, listening
from tests.tools import add_article
from watcher.features.extract import encode, extract_features
from watcher.model import Article, PackedFeatures
from watcher.settings.load import parse_settings
from watcher.settings.models import Settings
from watcher.store.articles import articles_by_id
from watcher.store.writer import read, write

OUTLETS = 40
COUNTRIES = "GB US FR DE IT ES IN BR ZA JP".split()
LEAST = 5
SETTINGS = """
[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "none"
[[digests]]
name = "drill"
deliver = [{{ channel = "webhook", url = "{url}" }}]
[[digests.alerts]]
when = "outlets >= {least}"
quiet = "{quiet}"
most = {most}
"""
Rows = list[dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--step", type=int, default=30, help="minutes")
    parser.add_argument("--days", type=float, default=100.0, help="of the data, from its beginning")
    parser.add_argument("--most", type=int, default=100)
    parser.add_argument("--quiet", default="")
    parser.add_argument("--seed", type=int, default=20261128)
    given = parser.parse_args()
    rows = [json.loads(line) for line in given.data.read_text(encoding="utf-8").splitlines()]
    rows.sort(key=lambda row: (row["published"], row["id"]))
    end = published(rows[0]) + timedelta(days=given.days)
    rows = [row for row in rows if published(row) < end]
    print(f"{len(rows)} articles from {rows[0]['published']} to {rows[-1]['published']}", flush=True)
    plain, killed = replay(rows, given, kills=0), replay(rows, given, kills=given.kills)
    faults = [*plain["faults"], *killed["faults"]]
    alone = plain["told"].keys() ^ killed["told"].keys()
    faults += [f"told in one run alone: {about}" for about in sorted(alone)]
    print(f"told in one run alone: {len(alone)}; faults: {len(faults)}")
    for fault in faults[:20]:
        print(f"  {fault}")
    sys.exit(bool(faults))


def published(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["published"]).astimezone(UTC)


def replay(rows: Rows, given: argparse.Namespace, *, kills: int) -> dict[str, Any]:
    """Replay all steps; return what was told, by story, and what is wrong."""
    rng = random.Random(given.seed)
    step = timedelta(minutes=given.step)
    steps: defaultdict[int, Rows] = defaultdict(list)
    start = published(rows[0]).replace(minute=0, second=0, microsecond=0)
    for row in rows:
        steps[int((published(row) - start) / step)].append(row)
    # After the last article, held messages go out.
    ends = [start + (n + 1) * step for n in sorted(steps)] + [start + (max(steps) + 1) * step + timedelta(days=1)]
    with tempfile.TemporaryDirectory() as folder, listening() as hook:
        text = SETTINGS.format(url=hook.url("/alerts"), least=LEAST, quiet=given.quiet, most=given.most)
        settings = parse_settings(text, Path(folder) / "settings.toml")
        open_digests(settings.store.url).dispose()
        at_steps = set(rng.sample(range(len(ends)), min(kills, len(ends))))
        took: list[float] = []
        began, done, killed = time.monotonic(), 0, 0
        for n, (now, part) in enumerate(zip(ends, [steps[key] for key in sorted(steps)] + [[]], strict=True)):
            usual = sorted(took[-20:])[len(took[-20:]) // 2] if took else 1.0
            while n in at_steps and not run_step(settings, part, now, kill_after_s=rng.uniform(0, 1.1 * usual)):
                killed += 1
                if rng.random() < 0.7:
                    break
            at = time.monotonic()
            assert run_step(settings, part, now), "a step failed"
            took.append(time.monotonic() - at)
            done += 1
        steps_took = f"a step: median {median(took):.2f} s, slowest {max(took):.2f} s"
        print(f"{done} steps, {killed} kills, {time.monotonic() - began:.0f} s; {steps_took}", flush=True)
        return judge(settings, hook, rows, start=start)


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def run_step(settings: Settings, rows: Rows, now: datetime, *, kill_after_s: float | None = None) -> bool:
    """Run a step in a process of its own; return False if it was killed before its end."""
    process = multiprocessing.get_context("fork").Process(target=do_step, args=(settings, rows, now))
    process.start()
    if kill_after_s is not None:
        process.join(kill_after_s)
        if process.exitcode is None:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == 0


def do_step(settings: Settings, rows: Rows, now: datetime) -> None:
    """Store the articles that came, look for alerts, and send what is due."""
    engine = open_digests(settings.store.url)
    known = read(engine, articles_by_id, [row["id"] for row in rows])
    for row in rows:
        if row["id"] not in known:
            write(engine, store_row, row)
    send_story_alerts(settings.store.url, digests_of(settings), now)
    list(OutboxWorker(engine, settings, now=lambda: now).send_due())
    engine.dispose()


def store_row(connection: Connection, row: dict[str, Any]) -> None:
    number = int(sha256(row["id"].encode()).hexdigest(), 16)
    outlet, country = f"Outlet {number % OUTLETS}", COUNTRIES[number % OUTLETS % len(COUNTRIES)]
    at, title, language = published(row), row["title"], row["lang"]
    article = Article(
        id=row["id"], url=f"https://outlet-{number % OUTLETS}.example/{row['id']}", host="", outlet=outlet, title=title,
        text=row["body"] or "", language=language, country=country, published_at=at, fetched_at=at,
    )  # fmt: skip
    made = extract_features(row["id"], title=title, text=row["body"] or "", language=language)
    packed = PackedFeatures(version=made.version, payload=encode(made))
    add_article(connection, article, feed_id=1, packed=packed, block_hashes=())


def judge(settings: Settings, hook: Hook, rows: Rows, *, start: datetime) -> dict[str, Any]:
    """Print the figures of a run; return the posts by story, and the faults."""
    engine = open_digests(settings.store.url)
    sent = [json.loads(post.body) for post in hook.posts]
    posts = Counter(each["name"].split()[0] for each in sent)
    alerts = read(engine, load_story_alerts)
    by_state = Counter({each.about: each.state for each in alerts if each.state in UNSENT}.values())
    told = {each.about for each in alerts if each.state not in UNSENT}
    faults = [f"sent {n} times: {about}" for about, n in posts.items() if n > 1]
    faults += [f"stored and not sent: {about}" for about in told - posts.keys()]
    faults += [f"sent and not stored: {about}" for about in posts.keys() - told]
    changes = read(engine, lambda c: c.execute(story_changes.select().order_by(story_changes.c.id)).all())
    faults += [f"told before and after a join: {pair}" for pair in told_twice(sent, changes, (MERGED,))]
    home = read(
        engine,
        lambda c: dict(
            c.execute(
                story_articles.select().with_only_columns(story_articles.c.article_id, story_articles.c.story_id)
            ).all()
        ),
    )
    labels = {row["id"]: row["cluster"] for row in rows}
    print(f"told again after a small part had left: {len(told_twice(sent, changes, (MERGED, SPLIT)))}")
    events = Counter(main_label(about, home, labels) for about in told)
    print(
        f"told {len(told)} stories in {len(sent)} messages; not told: {by_state[OVER_LIMIT]} over the limit, "
        f"{by_state[KNOWN]} known; changes of stories {dict(Counter(each.kind for each in changes))}"
    )
    large = large_events(rows)
    hit = {event for event in events if event in large}
    print(
        f"labelled events with {LEAST} outlets in 24 hours: {len(large)}, told {len(hit)}; "
        f"told stories whose event has fewer: {len(events) - len(hit)}; events told more than once: "
        f"{sum(n > 1 for event, n in events.items() if event)}",
        flush=True,
    )
    engine.dispose()
    return {"told": posts, "faults": faults}


def told_twice(sent: list[dict[str, Any]], changes: Sequence[Any], kinds: tuple[str, ...]) -> list[str]:
    """Return a line for each story that was told although it was joined with (or split from) one told before."""
    at = {each["name"].split()[0]: datetime.fromisoformat(each["at"]) for each in sent}
    found = []
    for first, since in at.items():
        reached = {first}
        for change in changes:
            pair = {change.story_id, change.other_id}
            if change.kind in kinds and change.at > since and pair & reached:
                found += [
                    f"{first}, then {other}" for other in pair - reached if other in at and at[other] >= change.at
                ]
                reached |= pair
    return found


def main_label(about: str, home: dict[str, str], labels: dict[str, str]) -> str:
    counts = Counter(labels[article] for article, story in home.items() if story == about)
    return counts.most_common(1)[0][0] if counts else ""


def large_events(rows: Rows) -> set[str]:
    """Return the labelled events that at least `LEAST` outlets reported within 24 hours."""
    by_event: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for row in rows:
        by_event[row["cluster"]].append((published(row), int(sha256(row["id"].encode()).hexdigest(), 16) % OUTLETS))
    day = timedelta(days=1)
    return {
        event
        for event, found in by_event.items()
        if any(len({outlet for at, outlet in found if since <= at < since + day}) >= LEAST for since, _ in found)
    }


if __name__ == "__main__":
    main()
