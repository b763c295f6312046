"""Corrects times in the store that a wrong clock has set too far in the future."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, case, or_, update

from watcher.store.hosts import LEASE
from watcher.store.schema import articles, entries, feeds, hosts, pages

# The longest delays that the code ever sets, jitter included; any later time was set by a wrong clock.
MAX_BLOCK = timedelta(hours=80)  # of a host, and until the next try of a page: a Retry-After of 72 hours
MAX_POLL_DELAY = MAX_BLOCK + timedelta(days=9)  # until a feed's next poll: such a block, then its skipDays
MAX_SPREAD = timedelta(days=1)  # until a feed's first poll
MAX_CLOCK_SKEW = timedelta(minutes=5)  # between the clocks of machines that share a store


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
        update(hosts).where(hosts.c.lease_until > now + LEASE + MAX_CLOCK_SKEW).values(lease_until=now + LEASE),
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
    asked = {"last_request_at": now, "blocked_until": None}
    statements = (
        update(feeds).where(feeds.c.last_polled_at > ahead).values(next_poll_at=now, last_polled_at=now),
        update(pages).where(pages.c.added_at > ahead, pages.c.next_try_at.is_not(None)).values(next_try_at=now),
        update(pages).where(pages.c.added_at > ahead).values(added_at=now),
        update(hosts).where(hosts.c.last_request_at > ahead).values(asked),
        update(hosts).where(hosts.c.robots_at > ahead).values(robots_at=None),
        update(entries).where(entries.c.first_seen_at > ahead).values(first_seen_at=now),
        update(articles)
        .where(articles.c.fetched_at > ahead)
        .values(fetched_at=now, published_at=case((articles.c.published_at > now, now), else_=articles.c.published_at)),
    )
    return reset_future_times(connection, now=now) + sum(connection.execute(each).rowcount for each in statements)
