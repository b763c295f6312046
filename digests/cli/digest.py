"""`watcher digest`: an edition on demand, whether or not a daemon runs."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from typer import Argument, BadParameter, Option

from digests.cli.status import giant_words
from watcher.cli.app import DONE, Config, Json, current_session, examples, load_settings
from watcher.cli.output import print_json, print_lines, say

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from digests.make import Order
    from digests.model import Edition
    from digests.settings import DigestSettings
    from watcher.settings.model import Settings


@examples(
    "watcher digest",
    "watcher digest world --since 12h",
    "watcher digest --date 2026-11-24",
    "watcher digest --stdout --format text",
    "watcher digest --send",
    "watcher digest --preview",
)
def command(
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
    from digests.settings import digests_of
    from digests.store.editions import open_digests

    settings = load_settings(config)
    wanted = [digest for digest in digests_of(settings) if name in (None, digest.name)]
    if not wanted:
        known = ", ".join(digest.name for digest in digests_of(settings))
        raise BadParameter(f"no digest {name!r} in the settings; there is {known}", param_hint="NAME")
    asked = Asked(day=day, since=since, until=until)
    checked = tuple(formats or ())
    check_formats(checked)
    for digest in wanted:
        asked.check_day(ZoneInfo(digest.timezone), datetime.now(UTC))
    if send or preview:
        from digests.cli.sending import preview_all, send_all

        if stdout or checked or (send and preview):
            raise BadParameter(
                "stands alone: neither --stdout nor --format, and not both", param_hint="--send, --preview"
            )
        return (send_all if send else preview_all)(settings, wanted, asked, json=json)
    engine = open_digests(settings.store.url)
    try:
        told: list[dict[str, Any]] = []
        for digest in wanted:
            told += one(settings, engine, digest, asked, stdout=stdout, formats=checked, json=json)
    finally:
        engine.dispose()
    if json and not stdout:
        print_json(told)
    current_session().leaves_nothing = True
    return DONE


class Asked:
    """What the options say of the time, read for a digest's time zone."""

    def __init__(self, *, day: str | None, since: str | None, until: str | None) -> None:
        from watcher.settings.values import parse_duration

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


def check_formats(formats: tuple[str, ...]) -> None:
    """Refuse a form that does not exist."""
    from digests.settings import FORMATS
    from watcher.settings.values import hint

    for form in formats:
        if form not in FORMATS:
            known = ", ".join(FORMATS)
            raise BadParameter(f"got {form!r}, expected one of {known}{hint(form, FORMATS)}", param_hint="--format")


def complete_features(settings: Settings, engine: Engine, *, since: datetime) -> None:
    """Make what grouping needs of the time's articles and no poll has made yet: features of this version, vectors."""
    from watcher.features.embed import choice_of, usable_embedder
    from watcher.model import FEATURES_VERSION
    from watcher.store.embedders import name_of
    from watcher.store.features import outdated, without_vector
    from watcher.store.writer import Writer, read

    choice = usable_embedder(choice_of(settings.semantic))
    name = read(engine, name_of, choice.mark) if choice else None
    lacking = choice and read(engine, without_vector, model=name, most=1, since=since)
    if not lacking and not read(engine, outdated, version=FEATURES_VERSION, most=1, since=since):
        return
    import asyncio  # late, with what makes features: there is seldom anything to make

    from watcher.cli.poll import embed
    from watcher.work.pool import Pool
    from watcher.work.remake import remake_features

    async def complete() -> None:
        await remake_features(writer, pool, since=since)
        if lacking:
            await embed(writer, pool, choice, since=since)

    writer, pool = Writer(engine), Pool()
    try:
        asyncio.run(complete())
    finally:
        pool.close()
        writer.close()


def one(
    settings: Settings,
    engine: Engine,
    digest: DigestSettings,
    asked: Asked,
    *,
    stdout: bool,
    formats: tuple[str, ...],
    json: bool,
) -> list[dict[str, Any]]:
    """Make one digest's edition and print or write it; return what to tell as JSON."""
    from digests import edition_json
    from digests.make import LOOKBACK, make_edition
    from digests.publish import earlier_editions, folder_of, publish, rendered

    now = datetime.now(UTC)
    zone = ZoneInfo(digest.timezone)
    if formats:
        digest = digest.model_copy(update={"formats": formats})
    paths: list[Path] = []
    folder = folder_of(digest, settings)
    edition = stored(engine, digest, asked)
    if edition is None:
        order, suffix = plan(engine, digest, asked, zone, now, keep=not stdout)
        complete_features(settings, engine, since=order.window_start - LOOKBACK)

        def hand_over(made: Edition) -> None:
            if not stdout:
                paths.extend(publish(engine, made, digest, folder, suffix=suffix))

        edition = make_edition(engine, digest, order, now=now, hand_over=hand_over)
    elif not stdout:
        paths.extend(publish(engine, edition, digest, folder))
    if edition is None:
        say(f"{digest.name}: this edition is being made by another process")
        return []
    if stdout:
        wanted = formats or ("markdown",)
        forms = rendered(edition, digest, wanted, earlier=earlier_editions(engine, digest, wanted))
        sys.stdout.buffer.write(edition_json.dump(edition) if json else b"".join(form.body for form in forms))
        return []
    if not json:
        print_lines(summary(edition, paths))
    return [summary_json(edition, paths)]


def stored(engine: Engine, digest: DigestSettings, asked: Asked) -> Edition | None:
    """Return the kept edition that the options mean: that of `--date`, unless a window is asked for."""
    from digests.store.editions import get_edition
    from watcher.store.writer import read

    day = asked.day
    if day is None or asked.has_window:
        return None
    return read(engine, get_edition, digest.name, local_date=day)


def plan(
    engine: Engine, digest: DigestSettings, asked: Asked, zone: ZoneInfo, now: datetime, *, keep: bool
) -> tuple[Order, str]:
    """Return the order for a new edition, and what its files' names have behind the date."""
    from digests.due import due_at
    from digests.make import Order, order_window
    from digests.store.editions import get_edition
    from watcher.store.writer import read

    until = asked.until(zone, now)
    day = asked.day or (until or now).astimezone(zone).date()
    end = until or (min(due_at(day, digest.at, zone), now) if asked.day else now)
    if end > now:
        raise BadParameter(f"{end.astimezone(zone):%Y-%m-%d %H:%M} is still to come", param_hint="--until")
    start, end = order_window(engine, digest, end=end, length=asked.since)
    taken = read(engine, get_edition, digest.name, local_date=day) is not None
    stamp = now.astimezone(zone)
    order = Order(
        local_date=day,
        window_start=start,
        window_end=end,
        slot=f"{stamp:%H:%M:%S.%f}" if keep else None,
        is_exact=asked.since is not None,
    )
    return order, f"-{stamp:%H%M%S}" if taken else ""


def summary(edition: Edition, paths: list[Path]) -> list[str]:
    """Return what was made, for a terminal."""
    from watcher.text.counting import count

    ledger = edition.ledger
    articles, outlets = count(ledger.articles, "article"), count(ledger.outlets, "outlet")
    stories = count(ledger.stories_found, "story", "stories")
    told = [
        f"{edition.title}, {edition.local_date}: {articles} from {outlets}",
        f"  {stories}, {ledger.stories_shown} told in full, {ledger.briefs_shown} in a line",
    ]
    if ledger.largest and ledger.largest.alarm:
        told.append(f"  {giant_words(ledger.largest)}")
    if not ledger.articles:
        told.append("  nothing was published in its window; is `watcher run` or `watcher poll` at work?")
    return told + [f"  {path}" for path in paths]


def summary_json(edition: Edition, paths: list[Path]) -> dict[str, Any]:
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
