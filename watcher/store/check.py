"""Checks a store and repairs it: the database, the rows of its tables, and times that a wrong clock has set."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, Select, and_, case, delete, exists, or_, select, text, update

from watcher.plugins import load_plugins
from watcher.store.articles import articles_by_id
from watcher.store.full_text import FTS5_TABLE, full_text_index
from watcher.store.hosts import HOST_LEASE
from watcher.store.partitions import delete_partitioned_rows
from watcher.store.schema import articles, entries, features, feeds, has_features, has_text, hosts, pages, texts
from watcher.store.search import index_state, rebuild_index
from watcher.store.sql import count_rows, execute_each, in_chunks

ENTRY_POINTS = "watcher.store_checks"  # entry points: "module:function", (connection) -> findings
MAX_CHECK_FAULTS = 20  # reported by the integrity check; ids listed of unreadable texts
RESTORE_HINT = "watcher restore FILE, from a backup"
REPAIR_HINT = "watcher check --deep --repair"
CHECK_BATCH = 500  # texts
# The longest delays that the code ever sets, jitter included; any later time was set by a wrong clock.
MAX_BLOCK = timedelta(hours=80)  # of a host, and until the next try of a page: a Retry-After of 72 hours
MAX_POLL_DELAY = MAX_BLOCK + timedelta(days=9)  # until a feed's next poll: such a block, then its skipDays
MAX_SPREAD = timedelta(days=1)  # until a feed's first poll
MAX_CLOCK_SKEW = timedelta(minutes=5)  # between the clocks of machines that share a store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreProblem:
    """A fault in the store. `--repair` calls `repair`, again as long as it returns True."""

    what: str
    hint: str
    repair: Callable[[Connection], bool | None] | None = None


Check = Callable[[Connection], Iterable[StoreProblem]]


def find_problems(connection: Connection) -> list[StoreProblem]:
    """Return what all checks find, those of other packages too. Errors: PluginError."""
    store_checks: list[Check] = [_check_database, _check_references, _check_index, _check_articles, _check_texts]
    checks = [*store_checks, *(check for _, check in load_plugins(ENTRY_POINTS, "the checks of"))]
    return [problem for check in checks for problem in check(connection)]


def _check_database(connection: Connection) -> Iterator[StoreProblem]:
    """Yield what SQLite itself finds damaged."""
    if connection.dialect.name != "sqlite":
        return
    for row in connection.execute(text(f"PRAGMA integrity_check({MAX_CHECK_FAULTS})")):
        if FTS5_TABLE in row[0]:
            yield _broken_index(f"the search index is damaged: {row[0]}")
        elif row[0] != "ok":
            yield StoreProblem(what=f"the database is damaged: {row[0]}", hint=RESTORE_HINT)


def _check_references(connection: Connection) -> Iterator[StoreProblem]:
    """Yield rows that belong to rows which do not exist; only SQLite can have them."""
    if connection.dialect.name != "sqlite":
        return
    counts: dict[tuple[str, str], list[int]] = {}
    for name, rowid, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        counts.setdefault((name, parent), []).append(rowid)
    for (name, parent), rows in counts.items():
        what = f"{len(rows)} rows of {name} belong to {parent} that do not exist"
        yield StoreProblem(what=what, hint=REPAIR_HINT, repair=partial(_drop_rows, name=name, rows=rows))


def _drop_rows(connection: Connection, name: str, rows: list[int]) -> None:
    connection.execute(text(f"DELETE FROM {name} WHERE rowid = :number"), [{"number": number} for number in rows])


def _check_index(connection: Connection) -> Iterator[StoreProblem]:
    """Yield a problem if the full-text index has articles that are not stored, or is complete but lacks some."""
    key = full_text_index(connection).article_id
    indexed, there = count_rows(connection, select(key)), count_rows(connection, select(articles.c.id))
    gone = count_rows(connection, select(key).where(~exists().where(articles.c.id == key)))
    if gone:
        yield _broken_index(f"the search index has {gone} articles that do not exist")
    elif index_state(connection).get("is_complete") and indexed != there:
        yield _broken_index(f"{there - indexed} articles are missing from the search index")


def _broken_index(what: str) -> StoreProblem:
    return StoreProblem(what=what, hint=f"{REPAIR_HINT}; a running daemon then rebuilds it", repair=rebuild_index)


def _check_articles(connection: Connection) -> Iterator[StoreProblem]:
    """Yield articles without text or features."""
    if n := count_rows(connection, _articles_without_text()):
        hint = f"{REPAIR_HINT}, which removes them"
        yield StoreProblem(what=f"{n} articles have no text", hint=hint, repair=_drop_textless)
    if n := count_rows(connection, _articles_without_features()):
        what = f"{n} articles have no features: editions cannot use them"
        yield StoreProblem(what=what, hint=REPAIR_HINT, repair=add_missing_features)


def _check_texts(connection: Connection) -> Iterator[StoreProblem]:
    """Yield texts that cannot be read."""
    broken: list[str] = []
    query = select(texts.c.article_id, texts.c.text, texts.c.removed).execution_options(yield_per=CHECK_BATCH)
    for key, *values in connection.execute(query):
        try:
            for value in values:
                zlib.decompress(value).decode("utf-8")
        except (zlib.error, UnicodeDecodeError):
            broken.append(key)
    if broken:
        what = f"{len(broken)} texts cannot be read: {', '.join(broken[:MAX_CHECK_FAULTS])}"
        yield StoreProblem(what=what, hint=RESTORE_HINT)


def _articles_without_text() -> Select[tuple[str, int]]:
    return select(articles.c.id, articles.c.day).where(~exists().where(has_text))


def _drop_textless(connection: Connection) -> None:
    rows = connection.execute(_articles_without_text()).all()
    delete_partitioned_rows(connection, [(row.id, row.day) for row in rows])
    for ids in in_chunks([row.id for row in rows]):
        connection.execute(delete(articles).where(articles.c.id.in_(ids)))


def _articles_without_features() -> Select[tuple[str, int]]:
    return select(articles.c.id, articles.c.day).join(texts, has_text).where(~exists().where(has_features))


def add_missing_features(connection: Connection) -> bool:
    """Compute the features of up to `CHECK_BATCH` articles that lack them; return whether more may be left."""
    from watcher.features.extract import encode, extract_features

    days = {row.id: row.day for row in connection.execute(_articles_without_features().limit(CHECK_BATCH))}
    articles = articles_by_id(connection, list(days))
    extracted = [
        extract_features(key, title=one.title, text=one.text, language=one.language) for key, one in articles.items()
    ]
    rows = [
        {"article_id": row.article_id, "version": row.version, "payload": encode(row), "day": days[row.article_id]}
        for row in extracted
    ]
    execute_each(connection, features.insert(), rows)
    return len(rows) == CHECK_BATCH


def reset_future_times(connection: Connection, *, now: datetime) -> int:
    """Reset poll times, leases and blocks that lie further ahead than the code sets; return the number of rows."""
    polls_far = or_(
        feeds.c.next_poll_at > now + MAX_POLL_DELAY,
        and_(feeds.c.last_polled_at.is_(None), feeds.c.next_poll_at > now + MAX_SPREAD),
    )
    statements = (
        update(feeds).where(polls_far).values(next_poll_at=now),
        update(pages).where(pages.c.next_try_at > now + MAX_BLOCK).values(next_try_at=now),
        # Shortened, not ended: a worker that still visits the host renews it.
        update(hosts)
        .where(hosts.c.lease_until > now + HOST_LEASE + MAX_CLOCK_SKEW)
        .values(lease_until=now + HOST_LEASE),
        update(hosts).where(hosts.c.blocked_until > now + MAX_BLOCK).values(blocked_until=None),
    )
    return sum(connection.execute(statement).rowcount for statement in statements)


def drop_future_times(connection: Connection, *, now: datetime) -> int:
    """
    Do as `reset_future_times`, and set times of past events that lie in the future to now: the clock was ahead then.

    Otherwise no edition would include the entries and articles of that time. Call it only at the start and after this
    machine's clock was set: machines with different clocks would keep overwriting each other's times.
    """
    ahead = now + MAX_CLOCK_SKEW
    statements = (
        update(feeds).where(feeds.c.last_polled_at > ahead).values(next_poll_at=now, last_polled_at=now),
        update(pages).where(pages.c.added_at > ahead, pages.c.next_try_at.is_not(None)).values(next_try_at=now),
        update(pages).where(pages.c.added_at > ahead).values(added_at=now),
        update(hosts).where(hosts.c.last_request_at > ahead).values({"last_request_at": now, "blocked_until": None}),
        update(hosts).where(hosts.c.robots_at > ahead).values(robots_at=None),
        update(entries).where(entries.c.first_seen_at > ahead).values(first_seen_at=now),
        update(articles)
        .where(articles.c.fetched_at > ahead)
        .values(fetched_at=now, published_at=case((articles.c.published_at > now, now), else_=articles.c.published_at)),
    )
    return reset_future_times(connection, now=now) + sum(
        connection.execute(statement).rowcount for statement in statements
    )
