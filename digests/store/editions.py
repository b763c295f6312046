"""Editions in the store: claimed once per digest, date and slot, saved as a whole, listed; and their translations."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from digests import edition_json
from digests.errors import DigestError
from digests.model.delivery import Rendered
from digests.model.edition import Edition
from digests.model.edition_story import EditionStory
from digests.settings.digests import digests_of
from digests.store.keys import DAILY, EditionKey
from digests.store.schema import deliveries, digests, editions, metadata, translations
from watcher.settings.models import Settings
from watcher.store.articles import pin
from watcher.store.engine import Schema, dispose_on_error, open_read_only, open_store, require_current_version, upgrade
from watcher.store.hosts import is_alive, worker_name
from watcher.store.sql import columns_of, insert, load_records, rows_in

MAX_EDITIONS_OF_STORY = 20  # that are read for a story, each some ten milliseconds
DELIVERED_STATES = ("sent", "unknown")  # states of a delivery whose recipient has, or may have, the edition
SCHEMA = Schema(scripts=Path(__file__).parent / "migrations", version_table="digests_schema", tables=metadata)
PROCESS_MARK = uuid.uuid4().hex[:8]  # distinguishes this process from an earlier one with the same process id
MAKE_LIMIT_S = 900.0  # an edition takes seconds; a process that hangs is killed after this time
CLAIM_LASTS = timedelta(seconds=MAKE_LIMIT_S + 300)  # an older claim was left behind by a crash


def open_digests(url: str, *, make: bool = True) -> sa.Engine:
    """Return an engine on the store at `url` with up-to-date tables of the digests; errors as `open_store`."""
    engine = open_store(url, create=make)
    with dispose_on_error(engine):
        upgrade(engine, SCHEMA)
    return engine


def open_digests_read_only(url: str) -> sa.Engine:
    """Return an engine that only reads. Errors: StoreError, if there is no store with this version of the tables."""
    engine = open_read_only(url)
    with dispose_on_error(engine):
        require_current_version(engine, SCHEMA)
    return engine


def first_seen(connection: sa.Connection, digest: str, *, now: datetime) -> datetime:
    """Return when this digest was first requested, and store `now` if it never was or if that time is in the future."""
    connection.execute(insert(connection, digests).values(name=digest, first_seen_at=now).on_conflict_do_nothing())
    query = sa.select(digests.c.first_seen_at).where(digests.c.name == digest)
    moment: datetime = connection.execute(query).scalar_one()
    if moment > now:
        connection.execute(sa.update(digests).where(digests.c.name == digest).values(first_seen_at=now))
    return min(moment, now)


def claim(
    connection: sa.Connection,
    key: EditionKey,
    *,
    window: tuple[datetime, datetime],
    now: datetime,
    by: str | None = None,
    held_for: timedelta | None = None,
) -> int | None:
    """
    Claim the building of an edition, and return its number; None if it is built, or a running process has claimed it.

    `by` names the claiming process (None: this one). `held_for` is how long another claim is respected (None:
    `CLAIM_LASTS`).
    """
    query = sa.select(editions.c.claimed_by, editions.c.claimed_at)
    query = query.where(*edition_filter(editions, key), editions.c.made_at.is_(None))
    claimed = connection.execute(query).one_or_none()
    # A claim that has expired, or whose process on this machine has ended, is taken over.
    if claimed is not None and not _is_claim_live(*claimed, now=now, held_for=held_for or CLAIM_LASTS):
        release_claim(connection, key, by=claimed.claimed_by)
    values = {name: getattr(key, name) for name in EditionKey.__slots__}
    values["number"] = next_number(connection, key.digest, now=now)
    values |= {"window_start": window[0], "window_end": window[1], "claimed_at": now}
    values["claimed_by"] = by or process_id()
    new = insert(connection, editions).values(values).on_conflict_do_nothing().returning(editions.c.number)
    number: int | None = connection.scalar(new)
    return number


def edition_filter(table: sa.Table, edition: Any) -> tuple[sa.ColumnElement[bool], ...]:  # noqa: ANN401 - a key, row or columns
    """Return the WHERE conditions for rows of `table` with the digest, date and slot that `edition` has."""
    return tuple(table.c[name] == getattr(edition, name) for name in EditionKey.__slots__)


def process_id() -> str:
    """Return the name under which this process claims: machine, process id, and a mark of its start."""
    return f"{worker_name()}:{PROCESS_MARK}"


def _is_claim_live(by: str, claimed_at: datetime, *, now: datetime, held_for: timedelta = CLAIM_LASTS) -> bool:
    """Whether a claim of the process `by` is valid: not expired, and the process runs, as far as we can tell."""
    return abs(now - claimed_at) <= held_for and is_process_alive(by)


def is_process_alive(by: str) -> bool:
    """Whether the process named `by` (`process_id`) is running; True for every process on another machine."""
    machine, pid, _ = by.rsplit(":", 2)
    return by == process_id() or machine != process_id().rsplit(":", 2)[0] or is_alive(int(pid))


def cited_ids(edition: Edition) -> set[str]:
    """Return the ids of all articles that an edition quotes, links or counts."""
    ids = {key for story in edition.stories for key in story.article_ids}
    ids |= {story.latest.article_id for story in edition.stories if story.latest}
    ids |= {comment.article_id for story in edition.stories for comment in story.comments}
    ids |= {key for brief in edition.all_briefs for key in brief.article_ids}
    ids |= {figure.sentence_before.article_id for story in edition.stories for figure in story.number_changes}
    ids |= {change.before.mention.article_id for story in edition.stories for change in story.figure_changes}
    ids |= {turn.sentence.article_id for story in edition.stories for turn in story.turns}
    ids |= {source.article_id for story in edition.stories for prose in story.llm_sentences for source in prose.sources}
    ids |= {sentence.article_id for event in edition.coming_up for sentence in event.sentences}
    return ids | {correction.article_id for correction in edition.corrections}


def save_edition(connection: sa.Connection, key: EditionKey, edition: Edition, files: Iterable[Rendered] = ()) -> bool:
    """
    Store an edition in its claimed row, with the hashes of it and of its `files`, and pin what it cites.

    False if another process has taken the claim over.
    """
    query = sa.update(editions).where(*edition_filter(editions, key))
    query = query.where(editions.c.made_at.is_(None), editions.c.claimed_by == process_id())
    dumped = edition_json.dump(edition)
    hashes = {"json": sha256(dumped)} | {
        form.format: sha256(form.body) for form in files if form.format not in ("atom", "ics")
    }
    values = {"made_at": edition.made_at, "payload": zlib.compress(dumped, 6), "hashes": hashes}
    if connection.execute(query.values(values)).rowcount != 1:
        return False
    # The articles stay stored as long as the edition, so that it can be verified.
    pin(connection, cited_ids(edition), pinned_by=pin_name(key))
    return True


def pin_name(edition: EditionKey | sa.Row[*tuple[Any, ...]]) -> str:
    return f"edition {edition.digest} {edition.local_date.isoformat()} {edition.slot}"


def release_claim(connection: sa.Connection, key: EditionKey, *, by: str | None = None) -> None:
    query = sa.delete(editions).where(*edition_filter(editions, key))
    connection.execute(query.where(editions.c.made_at.is_(None), editions.c.claimed_by == (by or process_id())))


def is_settled(connection: sa.Connection, key: EditionKey, *, now: datetime) -> bool:
    query = sa.select(editions.c.made_at, editions.c.claimed_by, editions.c.claimed_at)
    row = connection.execute(query.where(*edition_filter(editions, key))).one_or_none()
    return row is not None and (row.made_at is not None or _is_claim_live(row.claimed_by, row.claimed_at, now=now))


def is_made(connection: sa.Connection, key: EditionKey) -> bool:
    return connection.scalar(sa.select(editions.c.made_at).where(*edition_filter(editions, key))) is not None


def find_row(
    connection: sa.Connection, digest: str, local_date: date | None = None, *, suffix: str = ""
) -> EditionRow | None:
    """
    Return the edition of a date: the daily one, else the newest; without a date, the latest. None if there is none.

    A scheduled edition comes before those on demand. With a `suffix`, return the edition of the date that has it.
    """
    query = sa.select(sa.func.max(editions.c.local_date)).where(editions.c.made_at.is_not(None))
    day = local_date or connection.scalar(query.where(editions.c.digest == digest))
    rows = load_records(connection, _select_editions(digest, day).order_by(editions.c.made_at.desc()), EditionRow)
    rows_of_suffix = [row for row in rows if not suffix or row.suffix == suffix]
    first_slot = None if local_date is None else DAILY
    return min(rows_of_suffix, key=lambda row: (row.slot != first_slot, not row.slot.is_scheduled), default=None)


def _select_editions(digest: str | None = None, day: date | None = None) -> sa.Select[*tuple[Any, ...]]:
    query = sa.select(*columns_of(editions, EditionRow)).where(editions.c.made_at.is_not(None))
    query = query if digest is None else query.where(editions.c.digest == digest)
    return query if day is None else query.where(editions.c.local_date == day)


def get_edition(connection: sa.Connection, digest: str, local_date: date | None = None) -> Edition | None:
    row = find_row(connection, digest, local_date)
    return load_edition(connection, row) if row else None


def last_places(connection: sa.Connection, settings: Settings, story: str) -> list[tuple[Edition, EditionStory]]:
    """Return the digests' latest editions that show a story in full, in the settings' order, each with the story."""
    latest = filter(None, (get_edition(connection, digest.name) for digest in digests_of(settings)))
    return [(edition, shown) for edition in latest for shown in edition.stories if shown.id == story]


def editions_with_story(
    connection: sa.Connection, ids: Collection[str], *, start: datetime, end: datetime
) -> list[tuple[EditionRow, Edition, EditionStory]]:
    """
    Return the editions that tell a story in full, the newest first, each with what it tells.

    `ids`: of the story, and of those that were merged into it; its reports were published in [start, end]. At most
    `MAX_EDITIONS_OF_STORY` editions are read.
    """
    query = _select_editions().where(editions.c.window_start <= end, editions.c.window_end > start)
    query = query.order_by(editions.c.made_at.desc(), editions.c.id.desc()).limit(MAX_EDITIONS_OF_STORY)
    loaded = ((row, load_edition(connection, row)) for row in load_records(connection, query, EditionRow))
    return [(row, edition, shown) for row, edition in loaded for shown in edition.stories if shown.id in ids]


def newest_edition(connection: sa.Connection, digest: str) -> Edition:
    """Return the edition that was made last, on a schedule or on demand. Errors: DigestError, if there is none."""
    if edition := find_newest_edition(connection, digest):
        return edition
    raise DigestError(f"no edition of {digest} is stored; watcher digest makes one")


def find_newest_edition(connection: sa.Connection, digest: str) -> Edition | None:
    """Return the edition that was made last, on a schedule or on demand; None if there is none."""
    query = _select_editions(digest).order_by(editions.c.made_at.desc()).limit(1)
    return next((load_edition(connection, row) for row in load_records(connection, query, EditionRow)), None)


def _was_delivered() -> sa.ColumnElement[bool]:
    """Return the SQL condition that an edition has or may have reached a recipient, or is delivered by its files."""
    of_it = edition_filter(deliveries, editions.c)
    arrived = sa.exists().where(*of_it, deliveries.c.state.in_(DELIVERED_STATES)).correlate(editions)
    return sa.or_(~sa.exists().where(*of_it).correlate(editions), arrived)


def recent_editions(
    connection: sa.Connection,
    digest: str,
    *,
    before: date,
    limit: int,
    delivered: bool = False,
    until: datetime | None = None,
) -> tuple[Edition, ...]:
    """
    Return the editions of up to `limit` dates before `before`, newest first: the scheduled ones, else the last.

    If `until` is given, also the scheduled ones of that date whose window ends before `until`.
    """
    is_earlier = editions.c.local_date < before
    if until is not None:
        is_same_date = sa.and_(editions.c.local_date == before, editions.c.window_end < until)
        is_earlier = sa.or_(is_earlier, is_same_date)
    query = _select_editions(digest).where(is_earlier)
    query = query.order_by(editions.c.local_date.desc(), editions.c.made_at.desc())
    rows = load_records(connection, query.where(_was_delivered()) if delivered else query, EditionRow)
    counted = (row for row in rows if row.local_date < before or row.slot.is_scheduled)
    chosen: list[EditionRow] = []
    for _, of_date in islice(groupby(counted, key=attrgetter("local_date")), limit):
        newest, *others = of_date
        scheduled = [row for row in (newest, *others) if row.slot.is_scheduled]
        chosen += scheduled or [newest]
    return tuple(load_edition(connection, row) for row in chosen)


def editions_of_others(
    connection: sa.Connection, digest: str, *, start: datetime, end: datetime, limit: int
) -> tuple[Edition, ...]:
    """Return the last `limit` scheduled editions of other digests whose window ends in (start, end], newest first."""
    query = _select_editions().where(editions.c.digest != digest)
    query = query.where(editions.c.window_end > start, editions.c.window_end <= end)
    rows = load_records(connection, query.order_by(editions.c.window_end.desc(), editions.c.id.desc()), EditionRow)
    scheduled = (row for row in rows if row.slot.is_scheduled)
    return tuple(load_edition(connection, row) for row in islice(scheduled, limit))


def covered_up_to(
    connection: sa.Connection, digest: str, *, by: datetime, window: timedelta | None, before: date | None = None
) -> datetime | None:
    """
    Return the end of the newest window until `by` that covered everything before it; None if there is none.

    A requested edition counts only if its window is at least `window` long, and not if `window` is None. Editions that
    reached nobody, and those dated `before` or later, do not count.
    """
    query = (
        sa.select(editions.c.slot, editions.c.window_start, editions.c.window_end)
        .where(editions.c.digest == digest, editions.c.made_at.is_not(None), editions.c.window_end <= by)
        .where(_was_delivered())
        .order_by(editions.c.window_end.desc())
    )
    if before is not None:
        query = query.where(editions.c.local_date < before)
    ends = (
        row.window_end
        for row in connection.execute(query)
        if row.slot.is_scheduled or (window is not None and row.window_end - row.window_start >= window)
    )
    return next(ends, None)


def next_number(connection: sa.Connection, digest: str, *, now: datetime) -> int:
    """Return the number of a digest's next edition: one more than the last that is made or being made."""
    query = sa.select(sa.func.max(editions.c.number)).where(
        editions.c.digest == digest, editions.c.made_at.is_not(None)
    )
    in_progress = (edition.number for edition in editions_in_progress(connection, now=now) if edition.digest == digest)
    return max([connection.scalar(query) or 0, *in_progress]) + 1


def latest_editions(connection: sa.Connection) -> dict[str, tuple[date, datetime]]:
    """Return by digest the date of its latest edition, and when its last one was built; only for digests with one."""
    latest = (sa.func.max(editions.c.local_date), sa.func.max(editions.c.made_at))
    query = sa.select(editions.c.digest, *latest).where(editions.c.made_at.is_not(None)).group_by(editions.c.digest)
    return {name: (day, made_at) for name, day, made_at in connection.execute(query)}


def first_seen_by_digest(connection: sa.Connection) -> dict[str, datetime]:
    return dict(connection.execute(sa.select(digests.c.name, digests.c.first_seen_at)).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRow(EditionKey):
    """A stored edition, without its content."""

    number: int
    made_at: datetime


def edition_rows(
    connection: sa.Connection, digest: str | None = None, *, day: date | None = None, limit: int | None = None
) -> tuple[EditionRow, ...]:
    newest_first = (editions.c.local_date.desc(), editions.c.made_at.desc(), editions.c.id.desc())
    return load_records(connection, _select_editions(digest, day).order_by(*newest_first).limit(limit), EditionRow)


def count_deliveries(connection: sa.Connection, key: EditionKey) -> dict[str, int]:
    """Return the number of an edition's deliveries by state."""
    query = sa.select(deliveries.c.state, sa.func.count()).where(*edition_filter(deliveries, key))
    return dict(connection.execute(query.group_by(deliveries.c.state)).all())


def load_edition(connection: sa.Connection, row: EditionRow) -> Edition:
    query = sa.select(editions.c.payload).where(*edition_filter(editions, row))
    return unpack_edition(connection.execute(query).scalar_one())


def load_hashes(connection: sa.Connection, row: EditionRow) -> tuple[str, Mapping[str, str]]:
    """Return the hash of an edition as it is stored, and those of it ("json") and of its files as they were made."""
    query = sa.select(editions.c.payload, editions.c.hashes).where(*edition_filter(editions, row))
    payload, hashes = connection.execute(query).one()
    return sha256(zlib.decompress(payload)), hashes or {}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def unpack_edition(payload: bytes) -> Edition:
    return edition_json.load(zlib.decompress(payload))


def adjacent_editions(connection: sa.Connection, row: EditionRow) -> tuple[EditionRow | None, EditionRow | None]:
    """Return the editions of the same digest before and after `row`, by date and by when they were made."""
    query = _select_editions(row.digest).order_by(editions.c.local_date, editions.c.made_at)
    rows = (None, *load_records(connection, query, EditionRow), None)
    index = rows.index(row)
    return rows[index - 1], rows[index + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionInProgress(EditionKey):
    number: int
    claimed_by: str
    claimed_at: datetime


def editions_in_progress(connection: sa.Connection, *, now: datetime) -> tuple[EditionInProgress, ...]:
    query = sa.select(*columns_of(editions, EditionInProgress)).where(editions.c.made_at.is_(None))
    rows = load_records(connection, query.order_by(editions.c.claimed_at), EditionInProgress)
    return tuple(row for row in rows if _is_claim_live(row.claimed_by, row.claimed_at, now=now))


def load_translation(connection: sa.Connection, key: str) -> str | None:
    """Return the translation that is stored under `key`; None if there is none."""
    text: str | None = connection.scalar(sa.select(translations.c.text).where(translations.c.key == key))
    return text


def known_translations(connection: sa.Connection, texts: Collection[str]) -> set[str]:
    """Return those of `texts` that an engine has made and that are still stored."""
    rows = rows_in(connection, sa.select(translations.c.text), translations.c.text, texts)
    return {text for (text,) in rows}


def save_translations(connection: sa.Connection, texts: Mapping[str, str], *, now: datetime) -> None:
    """Store translations by their keys, so that an edition made again says the same; those there already stay."""
    rows = [{"key": key, "text": text, "made_at": now} for key, text in texts.items()]
    connection.execute(insert(connection, translations).on_conflict_do_nothing(), rows)
