"""One edition, in order: claim, group, compose, hand over, keep. The shell of the digest; each step has a room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from digests.analysis.corrections import pages_to_recheck
from digests.assemble import LATE, LOOKBACK, Order, composed
from digests.due import window_of
from digests.gather import stories_as_they_are, stories_until
from digests.model import Edition, Parcel, Story
from digests.store import editions, outbox
from watcher.errors import StoreError
from watcher.store.revisions import look_again
from watcher.store.writer import read, write, write_patiently

if TYPE_CHECKING:
    from digests.settings import DigestSettings

PATIENCE_S = 180.0  # for a store that cannot be written just now: an edition that is made is not thrown away
__all__ = ["LATE", "LOOKBACK", "Order", "make_edition", "order_window", "preview_edition"]


def order_window(
    engine: Engine, digest: DigestSettings, *, end: datetime, length: timedelta | None = None
) -> tuple[datetime, datetime]:
    """Return the window of an edition: `length` if the reader says so, else the digest's, longer after a gap."""
    if length is not None:
        return end - length, end
    covered = read(engine, editions.covered_until, digest.name, by=end, window=digest.window)
    return window_of(end, digest.window, previous_end=covered)


def make_edition(
    engine: Engine,
    digest: DigestSettings,
    order: Order,
    *,
    now: datetime,
    hand_over: Callable[[Edition], object] = lambda edition: None,
    pack: Callable[[Edition], Sequence[Parcel]] = lambda edition: (),
    held_for: timedelta | None = None,
) -> Edition | None:
    """
    Make the edition that `order` asks for, and keep it; None if it is made, or being made, by somebody else.

    Args:
        hand_over: Writes the edition's files. It comes before the edition counts as made: after a crash between
            the two, the edition is made again and its files written over.
        pack: Returns what is to be delivered. It goes into the outbox in the transaction that keeps the edition.
        held_for: How long the claim of another process stands; None: as long as an edition may take.

    Errors: StoreError, and what `hand_over` and `pack` raise.
    """
    number = read(engine, editions.next_number, digest.name, local_date=order.local_date)
    slot = order.slot
    window = (order.window_start, order.window_end)
    if slot is None:
        stories = stories_until(engine, start=window[0], end=window[1], now=now)
        edition = made(engine, digest, order, stories, number=number, now=now)
        hand_over(edition)
        return edition

    def claimed(connection: Connection) -> bool:
        return editions.claim(
            connection,
            digest.name,
            local_date=order.local_date,
            slot=slot,
            number=number,
            window=window,
            now=now,
            held_for=held_for,
        )

    if not write(engine, claimed):
        return None
    try:
        stories = stories_until(engine, start=window[0], end=window[1], now=now)
        edition = made(engine, digest, order, stories, number=number, now=now)
        hand_over(edition)
        parcels = pack(edition)
        kept = write_patiently(engine, PATIENCE_S, finished, edition, slot, parcels, now=now)
    except BaseException as error:
        give_back(engine, digest, order, slot, error)
        raise
    return edition if kept else None


def give_back(engine: Engine, digest: DigestSettings, order: Order, slot: str, error: BaseException) -> None:
    """Let others make the edition that an error has ended; where the store cannot be written, the claim runs out."""
    patience_s = PATIENCE_S if isinstance(error, StoreError) and error.passing else 0.0
    with suppress(StoreError):
        write_patiently(engine, patience_s, editions.give_back, digest.name, local_date=order.local_date, slot=slot)


def made(
    engine: Engine, digest: DigestSettings, order: Order, stories: Sequence[Story], *, number: int, now: datetime
) -> Edition:
    """Return the edition of `stories`, written by a model where the settings name one."""
    edition = read(engine, composed, digest, order, stories, number=number, now=now)
    if digest.prose is None:
        return edition
    from digests.prose import with_prose  # late: it brings an HTTP client

    return with_prose(engine, edition, stories, digest.prose)


def preview_edition(engine: Engine, digest: DigestSettings, order: Order, *, now: datetime) -> Edition:
    """Return the edition that `make_edition` would make now; nothing is written. Errors: StoreError."""
    number = read(engine, editions.next_number, digest.name, local_date=order.local_date)
    stories = stories_as_they_are(engine, start=order.window_start, end=order.window_end)
    return read(engine, composed, digest, order, stories, number=number, now=now)


def finished(connection: Connection, edition: Edition, slot: str, parcels: Sequence[Parcel], *, now: datetime) -> bool:
    """
    Keep an edition and what is owed of it to its readers, and have the pages that it cites looked at again.

    False if somebody else has made it.
    """
    if not editions.finish(connection, edition, slot=slot):
        return False
    place = outbox.Place(digest=edition.digest, local_date=edition.local_date, slot=slot)
    outbox.put(connection, place, parcels, now=now)
    look_again(connection, pages_to_recheck(edition), now=now)
    return True
