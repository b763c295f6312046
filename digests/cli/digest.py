"""`watcher digest`: an edition on demand; prints, writes, sends or previews it, or lists what it leaves out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from typer import Argument, BadParameter, Option

from digests import edition_json
from digests.cli.left_out import format_left_out, left_out_to_json
from digests.cli.lookup import check_formats, find_digest, parse_date
from digests.cli.status import (
    delivery_to_json,
    format_state,
    format_stories,
    name_edition,
    name_recipient,
    oversized_story_warning,
)
from digests.delivery.file import write_files
from digests.delivery.outbox import OutboxWorker
from digests.edition.build import BuiltEdition, build_edition, build_unsaved_edition, preview_edition
from digests.edition.left_out import load_left_out
from digests.edition.load import LOOKBACK
from digests.edition.publish import build_messages, render_all, render_files
from digests.edition.schedule import EditionRequest, edition_of_date, edition_window
from digests.model.edition import Edition
from digests.settings.digests import DigestSettings, digests_of, folder_of
from digests.settings.translate import TranslateSettings
from digests.store import editions, outbox
from digests.store.keys import EditionKey, Slot, SlotKind
from digests.store.outbox import SENT, Delivery
from watcher.cli.commands import DONE, PARTLY, SESSION
from watcher.cli.embed import embed_recent
from watcher.cli.options import Config, Json, Yes, closing_store, load_settings
from watcher.cli.output import format_minute, print_err, print_json, print_lines, print_result
from watcher.features.embedders import embedder_config
from watcher.settings.models import Settings
from watcher.settings.types import parse_duration
from watcher.store.articles import count_articles
from watcher.store.features import embedder_name, lacks_vector, newest_articles
from watcher.store.feeds import claim_store, other_settings, sync_settings
from watcher.store.writer import Writer, read, write
from watcher.text.format import format_count
from watcher.text.plain_text import to_one_line
from watcher.text.timestamps import parse_iso_time
from watcher.worker.backfill import rebuild_features
from watcher.worker.process_pool import Pool

NO_CHANNEL = "not sent: the digest has no [[digests.deliver]] in the settings"
NOT_SENT_EMPTY = "not sent: the edition has no story, and send_empty is false"


def make_digest(
    name: Annotated[str | None, Argument(help="Name of the digest; by default, all digests.")] = None,
    day: Annotated[
        str | None, Option("--date", help="Date of the edition; without it, a new one is made.", metavar="DATE")
    ] = None,
    since: Annotated[str | None, Option(help='How far to look back: "6h"; by default, the setting `window`.')] = None,
    until: Annotated[
        str | None, Option("--until", help="Local time at which the window ends; by default, now.", metavar="TIME")
    ] = None,
    stdout: Annotated[bool, Option("--stdout", help="Print the edition; write no files, store no edition.")] = False,
    formats: Annotated[
        list[str] | None,
        Option("--format", help="markdown, html, text, eml, json, atom, epub, ics; repeatable.", metavar="FORMAT"),
    ] = None,
    send: Annotated[
        bool, Option("--send", help="Send the edition that was due most recently today; make it if needed.")
    ] = False,
    preview: Annotated[
        bool, Option("--preview", help="Show what --send would send, and to whom; write and send nothing.")
    ] = False,
    left_out: Annotated[
        bool, Option("--left-out", help="List what the newest edition leaves out, and why; make none.")
    ] = False,
    yes: Yes = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Make an edition from the stored articles, and write its files.

    If you give `--date` and that edition exists, only its files are written again. Without it, each run makes a new
    edition. The file names of the second edition of a day, and of later ones, include the time of day.
    """
    settings = load_settings(config)
    wanted = digests_of(settings) if name is None else (find_digest(settings, name),)
    options = TimeOptions(day=day, since=since, until=until)
    chosen = check_formats(formats)
    _refuse_future_date(wanted, options)
    if left_out and (send or preview or stdout or chosen or options.has_window):
        raise BadParameter("can be combined with NAME, --date and --json only", param_hint="--left-out")
    if (send or preview) and (stdout or chosen or (send and preview)):
        raise BadParameter("cannot be combined with --stdout, --format or each other", param_hint="--send, --preview")
    if left_out:
        return _list_left_out(settings, wanted, options, json=json)
    if preview:
        return _preview_all(settings, wanted, options, json=json)
    with closing_store(editions.open_digests(settings.store.url)) as engine:
        if yes or not stdout or not other_settings(engine, settings):
            claim_store(engine, settings, take_over=yes)
        if stdout:
            done = [_print_edition(settings, engine, digest, options, chosen, json=json) for digest in wanted]
        else:
            in_formats = [digest.model_copy(update={"formats": chosen or digest.formats}) for digest in wanted]
            done = _make_all(settings, engine, in_formats, options, send=send, json=json)
    SESSION.exit_immediately = True
    return DONE if all(done) else PARTLY


def _list_left_out(settings: Settings, wanted: Sequence[DigestSettings], options: TimeOptions, *, json: bool) -> int:
    """Print what the newest edition of each digest leaves out, or that of `--date`. Errors: DigestError."""
    with closing_store(editions.open_digests(settings.store.url, make=False)) as engine:
        per_edition = []
        for digest in wanted:
            existing = _find_existing(engine, digest, options)
            edition = existing.edition if existing else read(engine, editions.newest_edition, digest.name)
            per_edition.append(load_left_out(engine, digest, edition))
    print_result(
        [*map(left_out_to_json, per_edition)], chain.from_iterable(map(format_left_out, per_edition)), json=json
    )
    return DONE


def _refuse_future_date(wanted: Sequence[DigestSettings], options: TimeOptions) -> None:
    for digest in wanted:
        if options.day and options.day > datetime.now(ZoneInfo(digest.timezone)).date():
            raise BadParameter(f"{options.day.isoformat()} is in the future", param_hint="--date")


def _print_edition(
    settings: Settings,
    engine: Engine,
    digest: DigestSettings,
    options: TimeOptions,
    formats: Sequence[str],
    *,
    json: bool,
) -> bool:
    """Print an edition of a digest, which is not stored; False if nothing was read for it."""
    edition = _edition_to_print(settings, engine, digest, options)
    was_read = _check_was_read(engine, edition)
    forms = render_files(engine, edition, digest, formats or ("markdown",))
    sys.stdout.buffer.write(edition_json.dump(edition) if json else b"".join(form.body for form in forms))
    return was_read


def _make_all(
    settings: Settings,
    engine: Engine,
    wanted: Sequence[DigestSettings],
    options: TimeOptions,
    *,
    send: bool,
    json: bool,
) -> list[bool]:
    """Make an edition of each digest, send it if asked to, and print what was made; return which ones are done."""
    rows, done = [], []
    for digest in wanted:
        built = _find_or_build(settings, engine, digest, options, send=send)
        if built is None:
            done.append(not send)
            continue
        row, lines = _made_to_json(built), [*format_made(built.edition, built.files)]
        if send:
            deliveries = _send_edition(settings, engine, digest, built)
            done.append(all(delivery.state == SENT for delivery in deliveries))
            row["deliveries"] = [
                delivery_to_json(delivery) | {"sent_at": delivery.settled_at if delivery.state == SENT else None}
                for delivery in deliveries
            ]
            lines += _format_deliveries(deliveries, digest)
        rows.append(row)
        if not json:
            print_lines(lines)
        done.append(_check_was_read(engine, built.edition))
    if json:
        print_json(rows)
    return done


def _check_was_read(engine: Engine, edition: Edition) -> bool:
    """Say on standard error why an edition has no article, if it has none; False if it is because nothing was read."""
    ledger = edition.ledger
    if ledger.articles:
        return True
    is_empty = not read(engine, count_articles)
    why = "no usable article was published in its window"
    if is_empty or not ledger.sources_ok:
        what = "the store has no articles yet" if is_empty else "no source was read in its window"
        why = f"{what}; to read the sources, use watcher poll or watcher run"
    if ledger.network_down_since:
        why += f" (the internet connection was down from {format_minute(ledger.network_down_since)} on)"
    if ledger.polling_stopped_since:
        why += f" (polling stopped at {format_minute(ledger.polling_stopped_since)}: {ledger.polling_stop_reason})"
    print_err(f"{name_edition(edition)}: {why}", label="warning")
    return bool(ledger.sources_ok) and not is_empty


def _edition_to_print(settings: Settings, engine: Engine, digest: DigestSettings, options: TimeOptions) -> Edition:
    """Return a stored edition, or one that is made and not stored."""
    if existing := _find_existing(engine, digest, options):
        return existing.edition
    now = datetime.now(UTC)
    if not other_settings(engine, settings):  # else the sources in the store stay those of the other file
        write(engine, sync_settings, settings, now=now, spread_s=0.0)
    request = _plan_edition(settings, engine, digest, options, now, kind=None)
    add_missing_features(settings, engine, since=request.window_start - LOOKBACK)
    return build_unsaved_edition(engine, digest, request, now=now)


def _find_or_build(
    settings: Settings, engine: Engine, digest: DigestSettings, options: TimeOptions, *, send: bool
) -> BuiltEdition | None:
    """
    Return the stored edition that the options mean, its files written again, or a new one.

    None, with a message, if another process is building it. To `send`, today's is meant, and its files stay.
    """
    now, folder = datetime.now(UTC), folder_of(digest, settings)
    if existing := _find_existing(engine, digest, options, now=now if send else None):
        if send:
            return existing
        return replace(
            existing, files=write_files(render_files(engine, existing.edition, digest, digest.formats), folder)
        )
    write(engine, sync_settings, settings, now=now, spread_s=0.0)  # the ledger counts the sources of the settings
    request = _plan_edition(settings, engine, digest, options, now, kind=SlotKind.DAILY if send else SlotKind.REQUESTED)
    add_missing_features(settings, engine, since=request.window_start - LOOKBACK)
    built = build_edition(engine, digest, replace(request, folder=folder, deliver=send), now=now)
    if built is None:
        print_err(f"{digest.name}: another process is making this edition")
    return built


def _find_existing(
    engine: Engine, digest: DigestSettings, options: TimeOptions, *, now: datetime | None = None
) -> BuiltEdition | None:
    """
    Return the stored edition of `--date`, or of today if `now` is given; None if it is to be made.

    With `now` it is the one that is to be sent: that of the day's last due time, such as "-1700" of a digest at 07:00
    and 17:00. None, too, with a window of its own, which no stored edition has.
    """
    today = now.astimezone(ZoneInfo(digest.timezone)).date() if now else None
    day = options.day or today
    if options.has_window or day is None:
        return None
    if now is None:
        row = read(engine, editions.find_row, digest.name, day)
    else:
        due = edition_of_date(digest, day, now).key
        row = read(engine, editions.find_row, digest.name, day, suffix=due.suffix)
        if row is None and day != today:  # of a past day, any edition will do
            row = read(engine, editions.find_row, digest.name, day)
        if row is not None and day == today and row.slot != due.slot:  # one on demand is not the scheduled one
            row = None
    if row is None:
        return None
    return BuiltEdition(edition=read(engine, editions.load_edition, row), key=row, is_new=False)


def _send_edition(
    settings: Settings, engine: Engine, digest: DigestSettings, built: BuiltEdition
) -> Sequence[Delivery]:
    """Send an edition to all who do not have it yet, also if given up before; return its deliveries."""
    now = datetime.now(UTC)
    messages = () if built.is_new else build_messages(engine, built.edition, digest)
    write(engine, outbox.enqueue, built.key, messages, now=now)
    write(engine, outbox.retry_now, built.key, now=now)
    list(OutboxWorker(engine, settings).send_due(built.key))
    return read(engine, outbox.deliveries_of, built.key)


def _format_deliveries(deliveries: Sequence[Delivery], digest: DigestSettings) -> Iterator[str]:
    """Yield the lines on the messages of an edition: to whom, and whether each was sent."""
    if not deliveries:
        yield f"  {NOT_SENT_EMPTY if digest.deliver else NO_CHANNEL}"
    for delivery in deliveries:
        at = f" at {delivery.settled_at:%H:%M:%S} UTC" if delivery.settled_at else ""
        state = f"sent{at}" if delivery.state == SENT else format_state(delivery)
        yield f"  {delivery.channel} {to_one_line(name_recipient(delivery.recipient), 100)}: {to_one_line(state, 300)}"
        if delivery.hint:
            yield f"    try: {to_one_line(delivery.hint, 200)}"


def _preview_all(settings: Settings, wanted: Sequence[DigestSettings], options: TimeOptions, *, json: bool) -> int:
    """Show what `--send` would send to whom. The store is only brought up to date and read, and no secret is."""
    editions.open_digests(settings.store.url, make=False).dispose()
    with closing_store(editions.open_digests_read_only(settings.store.url)) as engine:
        previews = [(digest, *preview(settings, engine, digest, options)) for digest in wanted]
        unread = sum(not _check_was_read(engine, built.edition) for _, built, _ in previews)
    rows = [
        {"digest": digest.name, "date": built.edition.local_date, "number": built.edition.number}
        | {"is_made": not built.is_new, "messages": messages}
        for digest, built, messages in previews
    ]
    print_result(rows, (line for preview in previews for line in _format_preview(*preview)), json=json)
    return PARTLY if unread else DONE


def preview(
    settings: Settings, engine: Engine, digest: DigestSettings, options: TimeOptions
) -> tuple[BuiltEdition, list[dict[str, Any]]]:
    """Return what `--send` would send: the edition, and each message; the store is only read, and no secret is."""
    now = datetime.now(UTC)
    built, suffix = _find_existing(engine, digest, options, now=now), ""
    if built is None:
        request = _plan_edition(settings, engine, digest, options, now, kind=SlotKind.DAILY)
        edition = preview_edition(engine, digest, request, now=now)
        assert request.slot is not None, "an edition to send has a slot"
        key = EditionKey(digest=digest.name, local_date=request.local_date, slot=request.slot)
        built, suffix = BuiltEdition(edition=edition, key=key), request.suffix
    states = {
        (delivery.channel, delivery.recipient): delivery.state
        for delivery in read(engine, outbox.deliveries_of, built.key)
    }
    messages = [
        {
            "channel": message.channel,
            "to": message.recipient,
            "forms": [{"format": form.format, "bytes": len(form.body)} for form in message.forms],
            "state": states.get((message.channel, message.recipient)),
        }
        for message in build_messages(engine, built.edition, digest, suffix=suffix)
    ]
    return built, messages


def _format_preview(digest: DigestSettings, built: BuiltEdition, messages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of `--preview`: who would get the edition and in which size, then its text."""
    edition = built.edition
    when = "not made yet; this is a preview" if built.is_new else f"made at {edition.made_at:%H:%M} UTC"
    yield f"{name_edition(edition)}: {when}"
    if not messages:
        yield f"  {NOT_SENT_EMPTY if digest.deliver else NO_CHANNEL}"
    for message in messages:
        size = sum(form["bytes"] for form in message["forms"])
        state = "already sent" if message["state"] == SENT else "would be sent"
        yield f"  {message['channel']} {to_one_line(message['to'], 100)}: {size:,} bytes, {state}"
    (text,) = render_all(edition, digest, ["text"])
    yield f"\n{text.body.decode()}"


class TimeOptions:
    """
    The options --date, --since and --until of a command: the day of the edition, and the window of its articles.

    Errors: BadParameter, with the name of the option; for --until when it is read, as it needs the digest's time zone.
    """

    def __init__(self, *, day: str | None, since: str | None, until: str | None) -> None:
        """Parse --date, --since and --until. Errors: BadParameter."""
        self.day = parse_date(day, option="--date") if day else None
        try:
            self.since: timedelta | None = parse_duration(since) if since else None
        except ValueError as error:
            raise BadParameter(str(error), param_hint="--since") from error
        self._until = until

    @property
    def has_window(self) -> bool:
        return self.since is not None or self._until is not None

    def until(self, zone: ZoneInfo, now: datetime) -> datetime | None:
        """Return the end of the window in UTC, None if not given: "2026-11-24T06:30", or "06:30" of the date."""
        if self._until is None:
            return None
        text = self._until
        if len(text) <= 5 and ":" in text:
            text = f"{(self.day or now.astimezone(zone).date()).isoformat()}T{text.zfill(5)}"
        try:
            return parse_iso_time(text, zone=zone)
        except ValueError as error:
            expected = "a local time such as 06:30 or 2026-11-24T06:30"
            raise BadParameter(f"got {self._until!r}, expected {expected}", param_hint="--until") from error


def add_missing_features(settings: Settings, engine: Engine, *, since: datetime) -> None:
    """Extract the features, and make the vectors, that articles published since `since` lack."""
    choice = embedder_config(settings.semantic)
    model = read(engine, embedder_name, choice.store_key) if choice else None
    some_lack_vectors = choice and read(engine, newest_articles, lacks_vector(model), limit=1, since=since)

    async def add_missing() -> None:
        await rebuild_features(writer, pool, since=since)
        if some_lack_vectors:
            await embed_recent(writer, pool, choice, since, lambda number: None)

    writer, pool = Writer(engine), Pool(workers=1)  # of one process: an embedder takes much memory
    try:
        asyncio.run(add_missing())
    finally:
        pool.close()
        writer.close()


def _plan_edition(
    settings: Settings,
    engine: Engine,
    digest: DigestSettings,
    options: TimeOptions,
    now: datetime,
    *,
    kind: SlotKind | None,
) -> EditionRequest:
    """
    Return the request for an edition. Errors: BadParameter if its end is still to come.

    Args:
        kind: DAILY for the scheduled one that was due last (with a window of its own it becomes a requested one),
            REQUESTED for a further edition of the date, which is stored under the time it is made at, or None for one
            that is not stored.
    """
    zone = ZoneInfo(digest.timezone)
    until = options.until(zone, now)
    day = options.day or (until or now).astimezone(zone).date()
    due = edition_of_date(digest, day, now)
    end = until or (min(due.due_at, now) if options.day else now)
    if end > now:
        raise BadParameter(f"{end.astimezone(zone):%Y-%m-%d %H:%M} is in the future", param_hint="--until")
    is_scheduled = kind == SlotKind.DAILY and not options.has_window
    start, end = edition_window(
        engine, digest, end=end, length=options.since, due_at=due.due_at if is_scheduled else None
    )
    is_taken = not is_scheduled and read(engine, editions.get_edition, digest.name, local_date=day) is not None
    stamp = now.astimezone(zone)
    slot = due.key.slot if is_scheduled else Slot(kind=SlotKind.REQUESTED, time=stamp.time())
    return EditionRequest(
        local_date=day,
        window_start=start,
        window_end=end,
        slot=slot if kind else None,
        suffix=f"-{stamp:%H%M%S}" if is_taken else "",
        is_exact=options.since is not None,
        translate=settings.section(TranslateSettings),
    )


def format_made(edition: Edition, files: Sequence[Path] = ()) -> Iterator[str]:
    """Yield the lines on an edition that was made: its size, a warning if one story is too large, and its files."""
    ledger = edition.ledger
    articles = format_count(ledger.articles, "article")
    yield f"{name_edition(edition)}: {articles} from {format_count(ledger.outlets, 'outlet')}"
    yield f"  {format_stories(ledger.counts)}"
    if ledger.largest and ledger.largest.is_oversized:
        yield f"  {oversized_story_warning(ledger.largest)}"
    yield from (f"  {path}" for path in files)


def _made_to_json(built: BuiltEdition) -> dict[str, Any]:
    edition, ledger = built.edition, built.edition.ledger
    row = {"digest": edition.digest, "date": edition.local_date, "slot": built.key.slot_name, "number": edition.number}
    return row | ledger.counts | {"largest": ledger.largest, "files": built.files}
