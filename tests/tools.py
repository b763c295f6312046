"""The tools of a process under test: one pool for all, and what the test says otherwise; looks into a store."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import Connection, select

from watcher.model import Article, Feed, PackedFeatures
from watcher.settings.models import FetchSettings, PollSettings
from watcher.store.articles import NewArticle, add_articles, articles_by_id
from watcher.store.feeds import feed_states
from watcher.store.hosts import due_hosts, lease_free_hosts
from watcher.store.outages import urls_to_probe
from watcher.store.schema import articles
from watcher.worker.connectivity import ConnectivityMonitor
from watcher.worker.context import WorkerContext, system_clock


class Reached:
    """A network in which every host can be reached; each has an address of its own."""

    async def can_connect(self, url: str) -> bool:
        return True

    async def addresses(self, url: str) -> frozenset[str]:
        return frozenset((url,))


def tools_of(writer, client, pool, *, now=system_clock, **others) -> WorkerContext:
    """Return tools with the settings' defaults, without an embedder, whose line is as good as what `client` reaches."""
    given = {
        "connectivity": ConnectivityMonitor(
            client if hasattr(client, "can_connect") else Reached(), partial(writer.read, urls_to_probe), now=now
        ),
        "feed_pool": pool,
        "vector_pool": pool,
        "edition_pool": pool,
        "poll": PollSettings(),
        "fetch": FetchSettings(),
        "embedder": None,
        "on_event": lambda event: None,
    }
    return WorkerContext(writer=writer, client=client, pool=pool, now=now, **(given | others))


def due_feeds(connection: Connection, host: str, *, now: datetime) -> tuple[Feed, ...]:
    """Return the feeds of a host that are due, longest due first."""
    feeds = [state.feed for state in feed_states(connection) if state.feed.host == host and not state.feed.gone]
    return tuple(sorted((feed for feed in feeds if feed.next_poll_at <= now), key=lambda feed: feed.next_poll_at))


def add_article(
    connection: Connection, article: Article, *, feed_id: int, packed: PackedFeatures, block_hashes: tuple[int, ...]
) -> bool:
    """Store an article; False if it is there already."""
    return add_articles(
        connection, [NewArticle(article=article, feed_id=feed_id, packed=packed, block_hashes=block_hashes)]
    )[0]


def articles_between(connection: Connection, *, start: datetime, end: datetime) -> tuple[Article, ...]:
    """Return the articles published in [start, end) and stored before `end`, oldest first."""
    those = (articles.c.published_at >= start, articles.c.published_at < end, articles.c.fetched_at < end)
    ids = connection.scalars(select(articles.c.id).where(*those).order_by(articles.c.published_at, articles.c.id)).all()
    found = articles_by_id(connection, ids)
    return tuple(found[key] for key in ids)


def claim_hosts(connection: Connection, *, worker: str, now: datetime, limit: int, **given) -> tuple[str, ...]:
    """Lease up to `limit` hosts that have something due, longest due first, to `worker`; return their names."""
    names, _ = due_hosts(connection, now=now, limit=limit, **given)
    taken = lease_free_hosts(connection, names, worker=worker, now=now)
    return tuple(name for name in names if name in taken)
