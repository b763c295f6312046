"""
Moves a large store from SQLite to PostgreSQL by `watcher move`, which is killed once on the way, and starts again.

    python -m bench.move_drill                      # 1,000 MB
    python -m bench.move_drill --megabytes 100 --back    # and back to a file

Everything it needs is made here: a server of PostgreSQL, and a store whose articles are those of `edition_speed.py`,
each many times under ids of its own. The first move is killed (SIGKILL) while it copies the texts. Prints the rows and
the checksum of each table in both stores, and how long it took; exits with 1 if a table is not the same.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from edition_speed import fill
from edition_texts import END
from sqlalchemy import Connection, insert, text

from digests.store.keys import DAILY
from digests.store.schema import editions
from tests.postgres import programs, start
from watcher.store.engine import connect
from watcher.store.schema import polls
from watcher.store.writer import read, write

BASE = 2_000  # articles that are made; the others are copies of them
COPIES = {"articles": "id", "texts": "article_id", "features": "article_id", "entries": "article_id"}
POLLS, EDITIONS, EDITION_BYTES = 100_000, 100, 300_000
KILLED_IN, KILLED_BEHIND = "texts", 2_000_000  # bytes
ENTRIES = """
    INSERT INTO entries (feed_id, guid, content_hash, link, article_id, first_seen_at)
    SELECT feed_id, url, id, url, id, fetched_at FROM articles
"""


def main() -> int:
    """Fill a store, move it, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1_000)
    parser.add_argument("--back", action="store_true", help="move it back to a file afterwards")
    given = parser.parse_args()
    found = programs()
    assert found is not None, "no PostgreSQL to start"
    server = start(found)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "watcher.db"
            began = time.perf_counter()
            make_large(path, given.megabytes)
            megabytes = path.stat().st_size / 1e6
            print(f"filled in {time.perf_counter() - began:.0f} s: {megabytes:,.0f} MB", flush=True)
            there = server.fresh(empty=True)
            is_same = drill(f"sqlite:///{path}", there, megabytes, is_killed=True)
            if given.back:
                is_same &= drill(there, f"sqlite:///{folder}/back.db", megabytes, is_killed=False)
    finally:
        server.end()
    return 0 if is_same else 1


def make_large(path: Path, megabytes: int) -> None:
    """Make a store of a size."""
    fill(path, BASE)
    engine = connect(f"sqlite:///{path}")
    write(engine, put_polls)
    write(engine, lambda c: c.execute(text(ENTRIES)))
    write(engine, put_editions)
    times = 0
    while path.stat().st_size < megabytes * 1_000_000:
        times += 1
        write(engine, lambda c, n=times: put_copies(c, n))  # type: ignore[misc]
        with engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    engine.dispose()


def put_polls(connection: Connection) -> None:
    """Store polls of all feeds."""
    rows = [
        {"feed_id": n % 400 + 1, "at": END - timedelta(minutes=n), "status": "ok", "took_s": n / 7}
        for n in range(POLLS)
    ]
    connection.execute(insert(polls), rows)


def put_copies(connection: Connection, n: int) -> None:
    """Store each of the first articles once more, with what belongs to it."""
    for table, key in COPIES.items():
        columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]
        given = {key: f"printf('%s-%d', {key}, {n})", "guid": f"printf('%s-%d', guid, {n})"}
        said = ", ".join(given.get(column, column) for column in columns)
        which = f"WHERE {key} NOT LIKE '%-%'"
        connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {said} FROM {table} {which}"))


def put_editions(connection: Connection) -> None:
    """Store editions of the size of large ones."""
    for n in range(EDITIONS):
        at = END - timedelta(days=n)
        row = {
            "digest": "world", "local_date": at.date(), "slot": DAILY, "number": EDITIONS - n, "window_start": at,
            "window_end": at, "made_at": at, "claimed_at": at, "claimed_by": "bench:1:0",
            "payload": os.urandom(EDITION_BYTES),
        }  # fmt: skip
        connection.execute(insert(editions), [row])


def drill(from_: str, to: str, megabytes: float, *, is_killed: bool) -> bool:
    """Move a store, print what came of it, and return whether it is the same."""
    took = [0.0]
    if is_killed:
        began = time.perf_counter()
        process = start_move(from_, to)
        where = wait_for_middle(to, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        took[0] = time.perf_counter() - began
        print(f"killed after {took[0]:.0f} s, with {where / 1e6:.0f} MB of {KILLED_IN}", flush=True)
    began = time.perf_counter()
    process = start_move(from_, to)
    told = json.loads(process.communicate()[0] or "{}")
    took.append(time.perf_counter() - began)
    for line in told.get("tables", ()):
        there = line["to"]
        print(f"{line['table']:14} {line['rows']:>9,} {there['rows']:>9,}  {line['checksum']} {there['checksum']}")
    seconds = sum(took)
    print(f"{told.get('rows', 0):,} rows, {megabytes:,.0f} MB in {seconds:.0f} s, {megabytes / seconds:.1f} MB/s")
    print("all the same" if told.get("same") else "DIFFERENT", flush=True)
    return process.returncode == 0 and bool(told.get("same"))


def start_move(from_: str, to: str) -> subprocess.Popen[bytes]:
    """Start the command."""
    return subprocess.Popen([sys.executable, "-m", "watcher", "move", from_, to, "--json"], stdout=subprocess.PIPE)


def wait_for_middle(to: str, process: subprocess.Popen[bytes]) -> int:
    """Wait until some of the texts are there, which nobody else sees yet; return their bytes."""
    engine = connect(to)
    size = text(f"SELECT pg_total_relation_size(to_regclass('{KILLED_IN}_rest'))")
    try:
        while process.poll() is None:
            if (found := read(engine, lambda c: c.scalar(size))) and found > KILLED_BEHIND:
                return int(found)
            time.sleep(0.2)
    finally:
        engine.dispose()
    raise SystemExit("it ended before it could be killed")


if __name__ == "__main__":
    sys.exit(main())
