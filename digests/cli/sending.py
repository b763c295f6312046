"""`watcher digest --send` and `--preview`: an edition to all its recipients now, or what would go to whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digests.cli import status_outbox
from digests.cli.plan import Asked, complete_features, plan, summary, summary_json
from digests.cli.status_outbox import worded
from digests.delivery.outbox import OutboxWorker
from digests.edition.build import build_edition, preview_edition
from digests.edition.load import LOOKBACK, EditionRequest
from digests.edition.publish import build_messages, folder_of, render_all
from digests.model import Edition, OutboundMessage
from digests.settings.digests import DigestSettings
from digests.store import outbox
from digests.store.editions import DAILY, get_slot, open_digests, open_digests_read_only
from digests.store.outbox import SENT, Delivery, EditionKey, deliveries_of
from watcher.cli.app import DONE, PARTLY
from watcher.cli.output import print_json, print_lines, say
from watcher.feeds.html_text import one_line
from watcher.settings.model import Settings
from watcher.store.writer import read, write

NO_WAY = "no [[digests.deliver]] in the settings: its files are the delivery"
EMPTY = "without a story, it is not sent: send_empty = false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An edition, where it is kept, and the files that were written for it now."""

    edition: Edition
    place: EditionKey
    files: tuple[Path, ...] = ()
    is_new: bool = True


def send_all(settings: Settings, wanted: Sequence[DigestSettings], asked: Asked, *, json: bool) -> int:
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
            deliveries = send(settings, engine, digest, made)
            all_sent &= all(each.state == SENT for each in deliveries)
            files = list(made.files)
            told.append(summary_json(made.edition, files) | {"deliveries": [as_json(each) for each in deliveries]})
            if not json:
                told_lines = [*summary(made.edition, files), *delivery_lines(deliveries, digest)]
                print_lines(told_lines)
    finally:
        engine.dispose()
    if json:
        print_json(told)
    return DONE if all_sent else PARTLY


def edition_to_send(settings: Settings, engine: Engine, digest: DigestSettings, asked: Asked) -> Made | None:
    """
    Return the edition that the options mean: the daily one of the date, made if it is not there yet.

    With a window, it is an edition of its own; None if another process is making it.
    """
    now = datetime.now(UTC)
    if (kept := kept_edition(engine, digest, asked, now)) is not None:
        return kept
    order, suffix = to_send(*plan(engine, digest, asked, ZoneInfo(digest.timezone), now, keep=True), asked)
    complete_features(settings, engine, since=order.window_start - LOOKBACK)
    order = replace(order, folder=folder_of(digest, settings), suffix=suffix, deliver=True)
    built = build_edition(engine, digest, order, now=now)
    if built is None:
        return None
    return Made(edition=built.edition, place=place_of(digest, order), files=built.files)


def kept_edition(engine: Engine, digest: DigestSettings, asked: Asked, now: datetime) -> Made | None:
    """Return the date's edition if it is made; of a date that is over, one that was asked for will do."""
    today = now.astimezone(ZoneInfo(digest.timezone)).date()
    day = asked.day or today
    if asked.has_window:
        return None
    found = read(engine, get_slot, digest.name, local_date=day)
    if found is None or (day == today and found[0] != DAILY):
        return None
    place = EditionKey(digest=digest.name, local_date=day, slot=found[0])
    return Made(edition=found[1], place=place, is_new=False)


def to_send(order: EditionRequest, suffix: str, asked: Asked) -> tuple[EditionRequest, str]:
    """Return the order as one of the date's daily edition, so that no other is made; with a window as it is."""
    return (order, suffix) if asked.has_window else (replace(order, slot=DAILY), "")


def place_of(digest: DigestSettings, order: EditionRequest) -> EditionKey:
    return EditionKey(digest=digest.name, local_date=order.local_date, slot=order.slot or "")


def send(settings: Settings, engine: Engine, digest: DigestSettings, made: Made) -> tuple[Delivery, ...]:
    """Send an edition to all who do not have it yet, those too that were given up, and return its deliveries."""
    now = datetime.now(UTC)
    owed = () if made.is_new else build_messages(engine, made.edition, digest)

    def make_due(connection: Connection) -> None:
        outbox.enqueue(connection, made.place, owed, now=now)
        outbox.retry_now(connection, made.place, now=now)

    write(engine, make_due)
    OutboxWorker(engine, settings).run(made.place)
    return read(engine, outbox.deliveries_of, made.place)


def delivery_lines(deliveries: Sequence[Delivery], digest: DigestSettings) -> Iterator[str]:
    """Yield what came of each delivery, for a terminal."""
    if not deliveries:
        yield f"  {EMPTY if digest.deliver else NO_WAY}"
    for each in deliveries:
        at = f" at {each.settled_at:%H:%M:%S} UTC" if each.state == SENT and each.settled_at else ""
        words = f"sent{at}" if each.state == SENT else worded(each)
        yield f"  {each.channel} {one_line(each.recipient, 100)}: {one_line(words, 300)}"
        if each.mend:
            yield f"    try: {one_line(each.mend, 200)}"


def as_json(delivery: Delivery) -> dict[str, object]:
    """Return a delivery of the command as JSON has it."""
    sent_at = delivery.settled_at.isoformat() if delivery.state == SENT and delivery.settled_at else None
    return status_outbox.as_json(delivery) | {"sent_at": sent_at}


def preview_all(settings: Settings, wanted: Sequence[DigestSettings], asked: Asked, *, json: bool) -> int:
    """Show what `send_all` would send to whom. The store is only looked into, and no secret is read."""
    engine = open_digests_read_only(settings.store.url)
    found = []
    try:
        for digest in wanted:
            made, parcels, known = previewed(settings, engine, digest, asked)
            if json:
                found.append(preview_json(made, parcels, known))
            else:
                print_lines(preview_lines(made, parcels, known, digest))
    finally:
        engine.dispose()
    if json:
        print_json(found)
    return DONE


def previewed(
    settings: Settings, engine: Engine, digest: DigestSettings, asked: Asked
) -> tuple[Made, tuple[OutboundMessage, ...], dict[tuple[str, str], Delivery]]:
    """Return the edition, kept or as it would be made now, its parcels, and the deliveries that are known of it."""
    now = datetime.now(UTC)
    made, suffix = kept_edition(engine, digest, asked, now), ""
    if made is None:
        zone = ZoneInfo(digest.timezone)
        order, suffix = to_send(*plan(engine, digest, asked, zone, now, keep=True), asked)
        edition = preview_edition(engine, digest, order, now=now)
        made = Made(edition=edition, place=place_of(digest, order))
    found = read(engine, deliveries_of, made.place)
    known = {(each.channel, each.recipient): each for each in found}
    return made, build_messages(engine, made.edition, digest, suffix=suffix), known


def preview_lines(
    made: Made, parcels: Sequence[OutboundMessage], known: dict[tuple[str, str], Delivery], digest: DigestSettings
) -> Iterator[str]:
    """Yield who would get what, and then the edition as text."""
    when = "as it would be made now" if made.is_new else f"made at {made.edition.made_at:%H:%M} UTC"
    yield f"{one_line(made.edition.title, 120)}, {made.edition.local_date}: {when}"
    if not parcels:
        yield f"  {EMPTY if digest.deliver else NO_WAY}"
    for each in parcels:
        size = sum(len(form.body) for form in each.forms)
        delivery = known.get((each.channel, each.recipient))
        state = "it has been sent already" if delivery and delivery.state == SENT else "would be sent"
        yield f"  {each.channel} {one_line(each.recipient, 100)}: {size:,} bytes, {state}"
    (text,) = render_all(made.edition, digest, ["text"])
    yield f"\n{text.body.decode()}"


def preview_json(
    made: Made, parcels: Sequence[OutboundMessage], known: dict[tuple[str, str], Delivery]
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
