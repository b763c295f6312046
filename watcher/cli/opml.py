"""`watcher sources import|export`: the sources as OPML, folders as sections."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.app import DONE, PARTLY, Config, Json, examples, load_settings, settings_path
from watcher.cli.output import print_json, print_lines, say
from watcher.cli.sources import by_identity, existing_file, identity, save_rows
from watcher.errors import SettingsError
from watcher.text.counting import count
from watcher.text.urls import hide_secrets

if TYPE_CHECKING:
    from watcher.feeds.opml import Opml, OpmlFeed
    from watcher.settings.model import Settings, SourceSettings

NAME_CHARS = 200  # of a name or a section, as the settings hold them


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one feed of an OPML file."""

    outcome: str  # added, already there, left out
    name: str
    url: str
    why: str = ""


@examples("watcher sources import feeds.opml", "curl -s https://example.org/feeds.opml | watcher sources import -")
def import_opml(
    file: Annotated[Path, typer.Argument(help="OPML file; - is standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """Add the feeds of an OPML file that are not there yet; its folders become sections. Says what became of each."""
    from watcher.feeds.opml import MAX_BYTES, parse_opml
    from watcher.settings.edit import edit

    path = settings_path(config)
    text, settings = edit(path)
    opml = parse_opml(existing_file(file, MAX_BYTES), name=str(file))
    rows, lines = sort_out(opml, settings)
    if rows and not dry_run:
        save_rows(path, text, rows)
    report(lines, json=json)
    return PARTLY if any(line.outcome == "left out" for line in lines) else DONE


def sort_out(opml: Opml, settings: Settings) -> tuple[list[SourceSettings], list[Line]]:
    """Return the rows to add, and what becomes of each feed."""
    known, rows, lines = dict(by_identity(settings)), [], []
    for feed in opml.feeds:
        try:
            row, dropped = row_of(feed)
        except SettingsError as error:
            lines.append(Line(outcome="left out", name=feed.title, url=feed.url, why=str(error)))
            continue
        there = known.setdefault(identity(row), row)
        if there is row:
            rows.append(row)
        if there is row:
            lines.append(Line(outcome="added", name=row.source().name, url=row.url, why="; ".join(dropped)))
        else:
            lines.append(Line(outcome="already there", name=there.source().name, url=there.url))
    return rows, lines + [Line(outcome="left out", name="", url="", why=fault) for fault in opml.faults]


def row_of(feed: OpmlFeed) -> tuple[SourceSettings, tuple[str, ...]]:
    """
    Return the settings row of a feed, and in words what was dropped of it.

    A language or country that is none is dropped: other readers write anything there. A name or section is cut.

    Errors: SettingsError if another field cannot be used.
    """
    from watcher.settings.codes import country, language
    from watcher.settings.edit import source_row
    from watcher.settings.values import shown

    fields = asdict(feed)
    name = str(fields.pop("title"))[:NAME_CHARS]
    fields["language"] = language(feed.language or "")
    fields["country"] = country(feed.country or "")
    fields["section"] = (feed.section or "")[:NAME_CHARS].rstrip(" /")
    dropped = tuple(
        f"without its {what}: {shown(said)} is none"
        for what, said, read in (
            ("language", feed.language, fields["language"]),
            ("country", feed.country, fields["country"]),
        )
        if said and read is None
    )
    return source_row(name=name, **fields), dropped


def report(lines: list[Line], *, json: bool) -> None:
    """Print what became of each feed."""
    if json:
        print_json([asdict(line) for line in lines])
        return
    for line in lines:
        about = " ".join((*line.name.split(), line.url))
        print_lines([": ".join(part for part in (line.outcome, about.strip(), line.why) if part)])
    counts = {word: sum(line.outcome == word for line in lines) for word in ("added", "already there", "left out")}
    print_lines([", ".join(f"{number} {word}" for word, number in counts.items())])


@examples("watcher sources export > feeds.opml", "watcher sources export --with-passwords feeds.opml")
def export_opml(
    file: Annotated[Path | None, typer.Argument(help="File to write; else standard output.")] = None,
    with_passwords: Annotated[
        bool, typer.Option("--with-passwords", help="Write passwords and keys in addresses too.")
    ] = False,
    config: Config = None,
) -> int:
    """
    Write the sources as OPML; sections become folders.

    Addresses are written without their passwords and keys, unless `--with-passwords` is given: a feed that needs them
    cannot be read from such a file.
    """
    from watcher.feeds.opml import render_opml
    from watcher.settings.edit import write

    feeds = [feed_of(row) for row in load_settings(config).sources]
    secret = [feed for feed in feeds if hide_secrets(feed.url) != feed.url]
    if not with_passwords:
        feeds = [replace(feed, url=hide_secrets(feed.url)) for feed in feeds]
    text = render_opml(feeds, title="Watcher sources")
    if file is None or str(file) == "-":
        sys.stdout.write(text)
    else:
        write(file, text)
        say(f"wrote {count(len(feeds), 'source')} to {file}")
    if secret:
        addresses = count(len(secret), "address", "addresses")
        say(
            f"{addresses} with a password or key in it: keep the file to yourself"
            if with_passwords
            else f"{addresses} without the password or key in it; --with-passwords writes them too"
        )
    return DONE


def feed_of(row: SourceSettings) -> OpmlFeed:
    """Return a settings row as a feed of OPML."""
    from watcher.feeds.opml import OpmlFeed
    from watcher.settings.values import format_duration

    source = row.source()
    return OpmlFeed(
        url=source.url,
        title=source.name,
        section=source.section,
        language=source.language,
        country=source.country,
        owner=source.owner,
        owner_kind=source.owner_kind,
        tags=source.tags,
        every=format_duration(row.every) if row.every else None,
        full_text=source.full_text,
        enabled=row.enabled,
    )
