"""The digests' part of `watcher status`: last editions, open deliveries, next editions."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from digests.edition.schedule import digest_statuses
from digests.model.edition import Edition
from digests.model.ledger import LargestStory, TranslationOutcome
from digests.render.ledger import describe_fault
from digests.settings.digests import digests_of
from digests.store.editions import get_edition, open_digests
from digests.store.keys import StoryAlertKey
from digests.store.outbox import FAILED_SHOWN_FOR, Delivery, list_undelivered
from watcher.cli.options import closing_store
from watcher.cli.output import MINUTE, Row, StatusSection, format_minute, select_fields
from watcher.settings.models import Settings
from watcher.store.writer import read
from watcher.text.format import format_count, format_duration
from watcher.text.plain_text import to_one_line

TITLE_CHARS, NEXT_TITLE_CHARS, REASON_CHARS = 100, 60, 200
RECIPIENTS_SHOWN = 5  # named for the deliveries of an edition with one channel and state
DIGESTS_SHOWN = 5  # on one screen
DAYS_A_WEEK = 7
RECIPIENT_MARK = re.compile(r" \([0-9a-f]{8}\)$")  # of a web address, as `WebhookDeliverSettings.recipients` has it


def status_sections(settings: Settings) -> Iterator[StatusSection]:
    """Yield the last editions, the deliveries that have not arrived, and the next editions. Errors: StoreError."""
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        yield _editions_section(engine, settings)
        deliveries = read(engine, list_undelivered, since=(datetime.now(UTC) - FAILED_SHOWN_FOR).date())
        values = [delivery_to_json(delivery) for delivery in deliveries]
        yield StatusSection(name="deliveries", found=values, rows=tuple(_delivery_rows(deliveries)))
        yield _schedule_section(engine, settings, now=datetime.now(UTC))


def _editions_section(engine: Engine, settings: Settings) -> StatusSection:
    """Return the part of the status on the last edition of each digest."""
    values, rows = [], []
    for edition in filter(None, (read(engine, get_edition, digest.name) for digest in digests_of(settings))):
        ledger, largest = edition.ledger, edition.ledger.largest
        about = {"digest": edition.digest, "date": edition.local_date, "number": edition.number}
        about |= {"made_at": edition.made_at, **ledger.counts}
        values.append(about | {"largest": largest, "translation": ledger.translation})
        is_one_of_several = largest and ledger.stories_found > 1
        share = f"; the largest has {largest.share:.0%} of the reports" if largest and is_one_of_several else ""
        rows.append(("edition", f"{name_edition(edition)}: {format_stories(ledger.counts)}{share}"))
        if largest and largest.is_oversized:
            rows.append(("", oversized_story_warning(largest)))
        if ledger.translation:
            rows.append(("", _format_translation(ledger.translation)))
    return StatusSection(name="editions", found=values, rows=tuple(rows))


def name_edition(edition: Edition) -> str:
    """Return "World Digest no. 7, 2026-11-24": several editions of one date have different numbers."""
    when = f"{edition.local_date}, {edition.at:%H:%M}" if edition.at else f"{edition.local_date}"
    return f"{to_one_line(edition.title, TITLE_CHARS)} no. {edition.number}, {when}"


def format_stories(counts: Mapping[str, int]) -> str:
    shown, briefs, left_out = (counts[name] for name in ("stories_shown", "briefs_shown", "stories_left_out"))
    stories = format_count(counts["stories_found"], "story", "stories")
    return f"{stories} ({shown} in full, {briefs} in one line, {left_out} left out)"


def oversized_story_warning(largest: LargestStory) -> str:
    title = to_one_line(largest.title, TITLE_CHARS)
    reports = f"{largest.reports} of {largest.of_reports} reports"
    return f'oversized story: "{title}" has {reports}; it may contain several events'


def _format_translation(outcome: TranslationOutcome) -> str:
    """Return "3 texts translated, 1 without a translation: numbers differ (1); no model for ar: watcher …"."""
    line = f"{format_count(outcome.translated, 'text')} translated, {outcome.dropped} without a translation"
    if outcome.untranslated:
        line += ": " + ", ".join(f"{describe_fault(fault.kind)} ({fault.count})" for fault in outcome.untranslated)
    if outcome.missing:
        line += f"; no model for {', '.join(outcome.missing)}: watcher translate list"
    return line + (f"; {to_one_line(outcome.error, REASON_CHARS)}" if outcome.error else "")


def delivery_to_json(delivery: Delivery) -> dict[str, object]:
    """Return the state of one message to one recipient, for JSON."""
    return {
        "digest": delivery.key.digest,
        "date": delivery.key.local_date,
        "slot": delivery.key.slot_name,
        "channel": delivery.channel,
        "to": delivery.recipient,
        **select_fields(delivery, "state", "attempts"),
        "next_try_at": delivery.next_try_at if delivery.settled_at is None else None,
        **select_fields(delivery, "response", "hint"),
    }


def _delivery_rows(deliveries: Sequence[Delivery]) -> Iterator[Row]:
    """Yield the rows of the status on messages; recipients with the same state and edition share a row."""
    alike: defaultdict[tuple[object, ...], list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        alike[delivery.key, delivery.channel, delivery.state, delivery.response].append(delivery)
    for group in alike.values():
        first = group[0]
        names = ", ".join(to_one_line(name_recipient(delivery.recipient), 80) for delivery in group[:RECIPIENTS_SHOWN])
        more = f" and {len(group) - RECIPIENTS_SHOWN} more" if len(group) > RECIPIENTS_SHOWN else ""
        edition = f"{first.key.digest}, {first.key.label}"
        state = to_one_line(format_state(first), REASON_CHARS + 100)
        yield "delivery", f"{edition}: {first.channel} to {names}{more}: {state}"
        if first.hint:
            yield "", f"try: {to_one_line(first.hint, REASON_CHARS)}"


def name_recipient(recipient: str) -> str:
    """Return a recipient for people: "hooks.example", without the mark that tells it from others in the store."""
    return RECIPIENT_MARK.sub("", recipient)


def format_state(delivery: Delivery) -> str:
    """Return the state of a message in words, such as "failed: 550 no such user"."""
    why = f": {delivery.response}" if delivery.response else ""
    again = f", next try at {format_minute(delivery.next_try_at)}"
    words = {
        "waiting": f"waiting{again if delivery.attempts or isinstance(delivery.key, StoryAlertKey) else ''}{why}",
        "sending": "being sent",
        "unknown": f"may have arrived{again}{why}",
        "failed": f"failed{why}",
        "sent": f"sent{why}",
    }
    return words[delivery.state]


def _schedule_section(engine: Engine, settings: Settings, *, now: datetime) -> StatusSection:
    """Return the part of the status on the schedule: what is late, and when each digest's next edition is due."""
    statuses = read(engine, digest_statuses, settings, now=now)
    rows = []
    digests = {digest.name: digest for digest in digests_of(settings)}
    for status in sorted(statuses, key=lambda status: (status.due_since is None, status.next_due_at))[:DIGESTS_SHOWN]:
        name = to_one_line(status.title, NEXT_TITLE_CHARS)
        if status.due_since is not None:
            late = format_duration((now - status.due_since).total_seconds())
            rows.append(("overdue", f"{name}: the edition was due {late} ago and is not made yet"))
        digest, time_left = digests[status.digest], format_duration((status.next_due_at - now).total_seconds())
        days = f" ({digest.days})" if len(digest.week_days) < DAYS_A_WEEK else ""
        due = f"{status.next_due_at.astimezone(ZoneInfo(digest.timezone)):{MINUTE} %Z}"
        rows.append(("next", f"{name}{days}, due {due}, in {time_left}"))
    return StatusSection(name="digests", found=statuses, rows=tuple(rows))
