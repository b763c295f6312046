"""`watcher digest`: an edition on demand, whether or not a daemon runs."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from typer import Argument, BadParameter, Option

from digests import edition_json
from digests.cli.plan import Asked, complete_features, plan, summary, summary_json
from digests.cli.sending import preview_all, send_all
from digests.edition.build import build_edition, build_unsaved_edition
from digests.edition.load import LOOKBACK
from digests.edition.publish import earlier_editions, folder_of, publish, render_all
from digests.model import Edition
from digests.settings.digests import FORMATS, DigestSettings, digests_of
from digests.store.editions import get_edition, open_digests
from watcher.cli.app import DONE, Config, Json, current_session, examples, load_settings
from watcher.cli.output import print_json, print_lines, say
from watcher.settings.model import Settings
from watcher.settings.values import hint
from watcher.store.writer import read


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


def check_formats(formats: tuple[str, ...]) -> None:
    """Refuse a form that does not exist."""
    for form in formats:
        if form not in FORMATS:
            known = ", ".join(FORMATS)
            raise BadParameter(f"got {form!r}, expected one of {known}{hint(form, FORMATS)}", param_hint="--format")


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
        print_lines(summary(edition, paths))
    return [summary_json(edition, paths)]


def stored(engine: Engine, digest: DigestSettings, asked: Asked) -> Edition | None:
    """Return the kept edition that the options mean: that of `--date`, unless a window is asked for."""
    day = asked.day
    if day is None or asked.has_window:
        return None
    return read(engine, get_edition, digest.name, local_date=day)
