"""`watcher digest`: an edition on demand, printed, written, sent or previewed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine
from typer import Argument, BadParameter, Option

from digests import edition_json
from digests.cli.status import delivery_to_json, format_state, oversized_story_warning
from digests.delivery.outbox import OutboxWorker
from digests.edition.build import build_edition, build_unsaved_edition, edition_window, preview_edition
from digests.edition.load import LOOKBACK, EditionRequest
from digests.edition.publish import build_messages, earlier_editions, publish, render_all
from digests.edition.schedule import due_at
from digests.model import Edition, OutboundMessage
from digests.settings.digests import FORMATS, DigestSettings, digests_of, folder_of
from digests.store import outbox
from digests.store.editions import DAILY, get_edition, get_slot, open_digests, open_digests_read_only
from digests.store.outbox import SENT, Delivery, EditionKey, deliveries_of
from watcher.cli.commands import DONE, PARTLY, current_session
from watcher.cli.options import Config, Json, load_settings, with_examples
from watcher.cli.output import print_json, print_lines, say
from watcher.cli.poll import embed_recent
from watcher.features.embedders import embedder_config, resolve_embedder
from watcher.feeds.html_text import to_one_line
from watcher.model import FEATURES_VERSION
from watcher.settings.models import Settings
from watcher.settings.types import did_you_mean, parse_duration
from watcher.store.features import embedder_name, with_old_version, without_vector
from watcher.store.writer import Writer, read, write
from watcher.text.format import format_count
from watcher.worker.backfill import rebuild_features
from watcher.worker.process_pool import Pool


@with_examples(
    "watcher digest",
    "watcher digest world --since 12h",
    "watcher digest --date 2026-11-24",
    "watcher digest --stdout --format text",
    "watcher digest --send",
    "watcher digest --preview",
)
def make_digest(
    name: Annotated[str | None, Argument(help="Which digest; every one of the settings if not given.")] = None,
    day: Annotated[str | None, Option("--date", help="Its local date; today if not given.", metavar="D")] = None,
    since: Annotated[str | None, Option("--since", help='How far back it looks, "24h".', metavar="24h")] = None,
    until: Annotated[
        str | None, Option("--until", help="End of its window, local; now if not given.", metavar="T")
    ] = None,
    stdout: Annotated[bool, Option("--stdout", help="Print it; write and keep nothing.")] = False,
    formats: Annotated[
        list[str] | None,
        Option("--format", help="markdown, html, text, eml, json, atom; may be given again.", metavar="F"),
    ] = None,
    send: Annotated[bool, Option("--send", help="Send today's edition, made if need be, by all its channels.")] = False,
    preview: Annotated[
        bool, Option("--preview", help="Show what --send would send to whom; write and send nothing.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Make an edition of the articles in the store, and write it in the digest's forms.

    A date that has its edition keeps it: `--date` gives it again; a further edition of it has the time in its name.
    """
    settings = load_settings(config)
    wanted = [digest for digest in digests_of(settings) if name in (None, digest.name)]
    if not wanted:
        known = ", ".join(digest.name for digest in digests_of(settings))
        raise BadParameter(f"no digest {name!r} in the settings; there is {known}", param_hint="NAME")
    asked = TimeOptions(day=day, since=since, until=until)
    checked = tuple(formats or ())
    check_formats(checked)
    for digest in wanted:
        asked.check_day(ZoneInfo(digest.timezone), datetime.now(UTC))
    if send or preview:
        if stdout or checked or (send and preview):
            raise BadParameter(
                "stands alone: neither --stdout nor --format, and not both", param_hint="--send, --preview"
            )
        return (send_all if send else preview_all)(settings, wanted, asked, json=json)
    engine = open_digests(settings.store.url)
    try:
        told: list[dict[str, Any]] = []
        for digest in wanted:
            told += make_one(settings, engine, digest, asked, stdout=stdout, formats=checked, json=json)
    finally:
        engine.dispose()
    if json and not stdout:
        print_json(told)
    current_session().exit_immediately = True
    return DONE


def check_formats(formats: tuple[str, ...]) -> None:
    """Refuse a form that does not exist."""
    for form in formats:
        if form not in FORMATS:
            known = ", ".join(FORMATS)
            raise BadParameter(
                f"got {form!r}, expected one of {known}{did_you_mean(form, FORMATS)}", param_hint="--format"
            )


def make_one(
    settings: Settings,
    engine: Engine,
    digest: DigestSettings,
    asked: TimeOptions,
    *,
    stdout: bool,
    formats: tuple[str, ...],
    json: bool,
) -> list[dict[str, Any]]:
    """Make one digest's edition and print or write it; return what to tell as JSON."""
    now = datetime.now(UTC)
    zone = ZoneInfo(digest.timezone)
    if formats:
        digest = digest.model_copy(update={"formats": formats})
    paths: list[Path] = []
    folder = folder_of(digest, settings)
    edition = load_existing(engine, digest, asked)
    if edition is None:
        order, suffix = plan_edition(engine, digest, asked, zone, now, keep=not stdout)
        complete_features(settings, engine, since=order.window_start - LOOKBACK)
        if stdout:
            edition = build_unsaved_edition(engine, digest, order, now=now)
        else:
            built = build_edition(engine, digest, replace(order, folder=folder, suffix=suffix), now=now)
            edition, paths = (built.edition, list(built.files)) if built else (None, [])
    elif not stdout:
        paths.extend(publish(engine, edition, digest, folder))
    if edition is None:
        say(f"{digest.name}: this edition is being made by another process")
        return []
    if stdout:
        wanted = formats or ("markdown",)
        forms = render_all(edition, digest, wanted, earlier=earlier_editions(engine, digest, wanted))
        sys.stdout.buffer.write(edition_json.dump(edition) if json else b"".join(form.body for form in forms))
        return []
    if not json:
        print_lines(format_result(edition, paths))
    return [result_to_json(edition, paths)]


def load_existing(engine: Engine, digest: DigestSettings, asked: TimeOptions) -> Edition | None:
    """Return the kept edition that the options mean: that of `--date`, unless a window is asked for."""
    day = asked.day
    if day is None or asked.has_window:
        return None
    return read(engine, get_edition, digest.name, local_date=day)


NO_CHANNEL = "no [[digests.deliver]] in the settings: its files are the delivery"
NOT_SENT_EMPTY = "without a story, it is not sent: send_empty = false"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRef:
    """An edition, where it is kept, and the files that were written for it now."""

    edition: Edition
    place: EditionKey
    files: tuple[Path, ...] = ()
    is_new: bool = True


def send_all(settings: Settings, wanted: Sequence[DigestSettings], asked: TimeOptions, *, json: bool) -> int:
    """Send an edition of each digest, and tell of each recipient; the exit code says whether all have it."""
    engine = open_digests(settings.store.url)
    told: list[dict[str, Any]] = []
    all_sent = True
    try:
        for digest in wanted:
            made = edition_to_send(settings, engine, digest, asked)
            if made is None:
                say(f"{digest.name}: this edition is being made by another process")
                all_sent = False
                continue
            deliveries = send_edition(settings, engine, digest, made)
            all_sent &= all(each.state == SENT for each in deliveries)
            files = list(made.files)
            told.append(
                result_to_json(made.edition, files)
                | {"deliveries": [sent_delivery_to_json(each) for each in deliveries]}
            )
            if not json:
                told_lines = [*format_result(made.edition, files), *format_deliveries(deliveries, digest)]
                print_lines(told_lines)
    finally:
        engine.dispose()
    if json:
        print_json(told)
    return DONE if all_sent else PARTLY


def edition_to_send(
    settings: Settings, engine: Engine, digest: DigestSettings, asked: TimeOptions
) -> EditionRef | None:
    """
    Return the edition that the options mean: the daily one of the date, made if it is not there yet.

    With a window, it is an edition of its own; None if another process is making it.
    """
    now = datetime.now(UTC)
    if (kept := find_existing(engine, digest, asked, now)) is not None:
        return kept
    order, suffix = as_daily_request(
        *plan_edition(engine, digest, asked, ZoneInfo(digest.timezone), now, keep=True), asked
    )
    complete_features(settings, engine, since=order.window_start - LOOKBACK)
    order = replace(order, folder=folder_of(digest, settings), suffix=suffix, deliver=True)
    built = build_edition(engine, digest, order, now=now)
    if built is None:
        return None
    return EditionRef(edition=built.edition, place=place_of(digest, order), files=built.files)


def find_existing(engine: Engine, digest: DigestSettings, asked: TimeOptions, now: datetime) -> EditionRef | None:
    """Return the date's edition if it is made; of a date that is over, one that was asked for will do."""
    today = now.astimezone(ZoneInfo(digest.timezone)).date()
    day = asked.day or today
    if asked.has_window:
        return None
    found = read(engine, get_slot, digest.name, local_date=day)
    if found is None or (day == today and found[0] != DAILY):
        return None
    place = EditionKey(digest=digest.name, local_date=day, slot=found[0])
    return EditionRef(edition=found[1], place=place, is_new=False)


def as_daily_request(order: EditionRequest, suffix: str, asked: TimeOptions) -> tuple[EditionRequest, str]:
    """Return the order as one of the date's daily edition, so that no other is made; with a window as it is."""
    return (order, suffix) if asked.has_window else (replace(order, slot=DAILY), "")


def place_of(digest: DigestSettings, order: EditionRequest) -> EditionKey:
    return EditionKey(digest=digest.name, local_date=order.local_date, slot=order.slot or "")


def send_edition(settings: Settings, engine: Engine, digest: DigestSettings, made: EditionRef) -> tuple[Delivery, ...]:
    """Send an edition to all who do not have it yet, those too that were given up, and return its deliveries."""
    now = datetime.now(UTC)
    owed = () if made.is_new else build_messages(engine, made.edition, digest)

    def make_due(connection: Connection) -> None:
        outbox.enqueue(connection, made.place, owed, now=now)
        outbox.retry_now(connection, made.place, now=now)

    write(engine, make_due)
    OutboxWorker(engine, settings).run(made.place)
    return read(engine, outbox.deliveries_of, made.place)


def format_deliveries(deliveries: Sequence[Delivery], digest: DigestSettings) -> Iterator[str]:
    """Yield what came of each delivery, for a terminal."""
    if not deliveries:
        yield f"  {NOT_SENT_EMPTY if digest.deliver else NO_CHANNEL}"
    for each in deliveries:
        at = f" at {each.settled_at:%H:%M:%S} UTC" if each.state == SENT and each.settled_at else ""
        words = f"sent{at}" if each.state == SENT else format_state(each)
        yield f"  {each.channel} {to_one_line(each.recipient, 100)}: {to_one_line(words, 300)}"
        if each.hint:
            yield f"    try: {to_one_line(each.hint, 200)}"


def sent_delivery_to_json(delivery: Delivery) -> dict[str, object]:
    """Return a delivery of the command as JSON has it."""
    sent_at = delivery.settled_at.isoformat() if delivery.state == SENT and delivery.settled_at else None
    return delivery_to_json(delivery) | {"sent_at": sent_at}


def preview_all(settings: Settings, wanted: Sequence[DigestSettings], asked: TimeOptions, *, json: bool) -> int:
    """Show what `send_all` would send to whom. The store is only looked into, and no secret is read."""
    engine = open_digests_read_only(settings.store.url)
    found = []
    try:
        for digest in wanted:
            made, parcels, known = preview(settings, engine, digest, asked)
            if json:
                found.append(preview_to_json(made, parcels, known))
            else:
                print_lines(format_preview(made, parcels, known, digest))
    finally:
        engine.dispose()
    if json:
        print_json(found)
    return DONE


def preview(
    settings: Settings, engine: Engine, digest: DigestSettings, asked: TimeOptions
) -> tuple[EditionRef, tuple[OutboundMessage, ...], dict[tuple[str, str], Delivery]]:
    """Return the edition, kept or as it would be made now, its parcels, and the deliveries that are known of it."""
    now = datetime.now(UTC)
    made, suffix = find_existing(engine, digest, asked, now), ""
    if made is None:
        zone = ZoneInfo(digest.timezone)
        order, suffix = as_daily_request(*plan_edition(engine, digest, asked, zone, now, keep=True), asked)
        edition = preview_edition(engine, digest, order, now=now)
        made = EditionRef(edition=edition, place=place_of(digest, order))
    found = read(engine, deliveries_of, made.place)
    known = {(each.channel, each.recipient): each for each in found}
    return made, build_messages(engine, made.edition, digest, suffix=suffix), known


def format_preview(
    made: EditionRef, parcels: Sequence[OutboundMessage], known: dict[tuple[str, str], Delivery], digest: DigestSettings
) -> Iterator[str]:
    """Yield who would get what, and then the edition as text."""
    when = "as it would be made now" if made.is_new else f"made at {made.edition.made_at:%H:%M} UTC"
    yield f"{to_one_line(made.edition.title, 120)}, {made.edition.local_date}: {when}"
    if not parcels:
        yield f"  {NOT_SENT_EMPTY if digest.deliver else NO_CHANNEL}"
    for each in parcels:
        size = sum(len(form.body) for form in each.forms)
        delivery = known.get((each.channel, each.recipient))
        state = "it has been sent already" if delivery and delivery.state == SENT else "would be sent"
        yield f"  {each.channel} {to_one_line(each.recipient, 100)}: {size:,} bytes, {state}"
    (text,) = render_all(made.edition, digest, ["text"])
    yield f"\n{text.body.decode()}"


def preview_to_json(
    made: EditionRef, parcels: Sequence[OutboundMessage], known: dict[tuple[str, str], Delivery]
) -> dict[str, Any]:
    """Return who would get what, as JSON."""
    rows = []
    for each in parcels:
        delivery = known.get((each.channel, each.recipient))
        forms = [{"format": form.format, "bytes": len(form.body)} for form in each.forms]
        state = delivery.state if delivery else None
        rows.append({"channel": each.channel, "to": each.recipient, "forms": forms, "state": state})
    edition = made.edition
    day = edition.local_date.isoformat()
    return {"digest": edition.digest, "date": day, "is_made": not made.is_new, "parcels": rows}


class TimeOptions:
    """What the options say of the time, read for a digest's time zone."""

    def __init__(self, *, day: str | None, since: str | None, until: str | None) -> None:
        try:
            self.day = date.fromisoformat(day) if day else None
        except ValueError as error:
            raise BadParameter(f"got {day!r}, expected a date such as 2026-11-24", param_hint="--date") from error
        try:
            self.since: timedelta | None = parse_duration(since) if since else None
        except ValueError as error:
            raise BadParameter(str(error), param_hint="--since") from error
        self._until = until

    @property
    def has_window(self) -> bool:
        """Whether a window is asked for, beside the date."""
        return self.since is not None or self._until is not None

    def check_day(self, zone: ZoneInfo, now: datetime) -> None:
        """Refuse a date that has not begun."""
        if self.day is not None and self.day > now.astimezone(zone).date():
            raise BadParameter(f"{self.day.isoformat()} is still to come", param_hint="--date")

    def until(self, zone: ZoneInfo, now: datetime) -> datetime | None:
        """Return the end of the window: "2026-11-24T06:30", with or without a zone, or "06:30" of the date."""
        if self._until is None:
            return None
        text = self._until
        if len(text) <= 5 and ":" in text:
            text = f"{(self.day or now.astimezone(zone).date()).isoformat()}T{text.zfill(5)}"
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            expected = "a local time such as 06:30 or 2026-11-24T06:30"
            raise BadParameter(f"got {self._until!r}, expected {expected}", param_hint="--until") from error
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def complete_features(settings: Settings, engine: Engine, *, since: datetime) -> None:
    """Make what grouping needs of the time's articles and no poll has made yet: features of this version, vectors."""
    choice = resolve_embedder(embedder_config(settings.semantic))
    name = read(engine, embedder_name, choice.store_key) if choice else None
    lacking = choice and read(engine, without_vector, model=name, most=1, since=since)
    if not lacking and not read(engine, with_old_version, version=FEATURES_VERSION, most=1, since=since):
        return

    async def complete() -> None:
        await rebuild_features(writer, pool, since=since)
        if lacking:
            await embed_recent(writer, pool, choice, since=since)

    writer, pool = Writer(engine), Pool()
    try:
        asyncio.run(complete())
    finally:
        pool.close()
        writer.close()


def plan_edition(
    engine: Engine, digest: DigestSettings, asked: TimeOptions, zone: ZoneInfo, now: datetime, *, keep: bool
) -> tuple[EditionRequest, str]:
    """Return the order for a new edition, and what its files' names have behind the date."""
    until = asked.until(zone, now)
    day = asked.day or (until or now).astimezone(zone).date()
    end = until or (min(due_at(day, digest.at, zone), now) if asked.day else now)
    if end > now:
        raise BadParameter(f"{end.astimezone(zone):%Y-%m-%d %H:%M} is still to come", param_hint="--until")
    start, end = edition_window(engine, digest, end=end, length=asked.since)
    taken = read(engine, get_edition, digest.name, local_date=day) is not None
    stamp = now.astimezone(zone)
    order = EditionRequest(
        local_date=day,
        window_start=start,
        window_end=end,
        slot=f"{stamp:%H:%M:%S.%f}" if keep else None,
        is_exact=asked.since is not None,
    )
    return order, f"-{stamp:%H%M%S}" if taken else ""


def format_result(edition: Edition, paths: list[Path]) -> list[str]:
    """Return what was made, for a terminal."""
    ledger = edition.ledger
    articles, outlets = format_count(ledger.articles, "article"), format_count(ledger.outlets, "outlet")
    stories = format_count(ledger.stories_found, "story", "stories")
    told = [
        f"{edition.title}, {edition.local_date}: {articles} from {outlets}",
        f"  {stories}, {ledger.stories_shown} told in full, {ledger.briefs_shown} in a line",
    ]
    if ledger.largest and ledger.largest.is_oversized:
        told.append(f"  {oversized_story_warning(ledger.largest)}")
    if not ledger.articles:
        told.append("  nothing was published in its window; is `watcher run` or `watcher poll` at work?")
    return told + [f"  {path}" for path in paths]


def result_to_json(edition: Edition, paths: list[Path]) -> dict[str, Any]:
    """Return what was made, as JSON."""
    ledger = edition.ledger
    return {
        "digest": edition.digest,
        "date": edition.local_date.isoformat(),
        "articles": ledger.articles,
        "outlets": ledger.outlets,
        "stories_found": ledger.stories_found,
        "stories_shown": ledger.stories_shown,
        "briefs_shown": ledger.briefs_shown,
        "largest": asdict(ledger.largest) if ledger.largest else None,
        "files": [str(path) for path in paths],
    }
