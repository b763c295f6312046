"""`watcher sources`: lists, removes and pauses the sources of the settings file; imports and exports OPML."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from watcher.cli.commands import DONE, PARTLY
from watcher.cli.options import Config, Json, load_settings, settings_path
from watcher.cli.output import print_err, print_json, print_lines, print_result
from watcher.errors import SettingsError
from watcher.feeds.opml import MAX_OPML_BYTES, Opml, OpmlFeed, parse_opml, render_opml
from watcher.model import PageSelectors
from watcher.net.address_guard import describe_refused_places
from watcher.settings.edit import (
    add_source_row,
    read_for_edit,
    remove_source,
    save_rows,
    save_settings,
    source_row,
    sources_by_key,
    switch_source,
    to_toml,
    write_file,
)
from watcher.settings.models import Settings, SourceSettings
from watcher.settings.types import country_code, format_duration_setting, language_tag, quote_value, secret_of
from watcher.text.format import did_you_mean, format_count, strip_control_characters
from watcher.text.urls import hide_secrets, is_mail, normalize_url

SourceArgument = Annotated[str, Argument(metavar="URL|NAME", help="Address or name of the source.")]
SOURCE_TABLE_COLUMNS = ("name", "language", "country", "section", "every", "url")
MAX_CELL_WIDTH = 40  # of the list on a terminal
SOURCE_NAME_CHARS = 200  # of a name or a section, as the settings hold them


def list_sources(config: Config = None, json: Json = False) -> int:
    """List the sources and mark paused ones; tab-separated if the output is not a terminal."""
    rows = [
        row.model_dump()
        | {"name": row.source().name, "every": format_duration_setting(row.every) if row.every else None}
        for row in load_settings(config).sources
    ]
    if json:
        print_json(rows)
        return DONE
    if not rows:
        print_err("there are no sources: watcher sources add URL")
    cells = [
        {key: str(row[key] or "") for key in SOURCE_TABLE_COLUMNS} | {"paused": "" if row["enabled"] else "paused"}
        for row in rows
    ]
    if sys.stdout.isatty():
        _print_table(cells)
    else:
        print_lines("\t".join(" ".join(text.split()) for text in row.values()) for row in cells)
    return DONE


def _print_table(rows: list[dict[str, str]]) -> None:
    """Print the sources as a table, with the addresses last."""
    # Late: rich takes 50 ms to load, and is needed on a terminal only.
    from rich.cells import cell_len, set_cell_size
    from rich.console import Console
    from rich.text import Text

    *others, url = SOURCE_TABLE_COLUMNS
    shown = [key for key in (*others, "paused", url) if any(row[key] for row in rows)]
    table = [dict(zip(shown, shown, strict=True))]
    table += [{key: strip_control_characters(hide_secrets(row[key])) for key in shown} for row in rows]
    widths = {key: min(max(cell_len(row[key]) for row in table), MAX_CELL_WIDTH) for key in shown if key != url}
    console = Console()
    for line in table:
        # The address comes last and whole: the terminal wraps it, so that it can still be copied.
        cells = [*(set_cell_size(line[key], width) for key, width in widths.items()), line.get(url, "")]
        style = "bold" if line is table[0] else "dim" if line.get("paused") else ""
        console.print(Text("  ".join(cells).rstrip()), style=style, soft_wrap=True)
    paused = sum(bool(row["paused"]) for row in rows)
    console.print(f"{format_count(len(rows), 'source')}{f', {paused} of them paused' if paused else ''}")


def add_row(path: Path, row: SourceSettings) -> str:
    """Add a row to the settings file at `path` unless it has the feed; return a message that says what was done."""
    _, known = add_source_row(path, row)
    if known:
        return f"already in the settings: {known.source().name} ({known.url})"
    return f"added {row.source().name} ({row.url}) to {path}"


def remove(source: SourceArgument, config: Config = None) -> int:
    """Remove a source from the settings file; comments are kept."""
    row, path = _edit_source(source, config, remove_source)
    print_lines([f"removed {row.source().name} ({row.url}) from {path}"])
    return DONE


def pause(source: SourceArgument, config: Config = None) -> int:
    """Switch a source off for all digests: it stays in the settings file but is not polled."""
    return _set_enabled(source, config, enabled=False)


def resume(source: SourceArgument, config: Config = None) -> int:
    """Switch a paused source back on; Watcher polls it again."""
    return _set_enabled(source, config, enabled=True)


def _edit_source(source: str, config: Path | None, change: Callable[[str, int], str]) -> tuple[SourceSettings, Path]:
    """Save what `change` makes of the file's text and the source's index; return the old row and the path."""
    path = settings_path(config)
    text, settings = read_for_edit(path)
    index = find_source(settings, source)
    save_settings(path, change(text, index))
    return settings.sources[index], path


def _set_enabled(source: str, config: Path | None, *, enabled: bool) -> int:
    row, path = _edit_source(source, config, partial(switch_source, enabled=enabled))
    done = f"{'resumed' if enabled else 'paused'}: {row.source().name} ({row.url}) in {path}"
    print_lines([done, "a running daemon reads the file within seconds"])
    return DONE


def find_source(settings: Settings, wanted: str) -> int:
    """Return the index of the source with URL or name `wanted`. Errors: SettingsError for no match or several."""
    rows = [row.source() for row in settings.sources]
    matches = [n for n, row in enumerate(rows) if wanted in (row.url, hide_secrets(row.url))]
    if wanted.startswith("maildir:"):  # a relative path starts at the folder of the settings file, as it does there
        wanted = f"maildir:{(settings.path or Path()).parent / Path(wanted[8:]).expanduser()}"
    matches = matches or [n for n, row in enumerate(rows) if normalize_url(row.url) == normalize_url(wanted)]
    matches = matches or [n for n, row in enumerate(rows) if row.name.casefold() == wanted.casefold()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise SettingsError((), f"several sources are named {wanted}: {', '.join(rows[n].url for n in matches)}")
    near = did_you_mean(wanted, [name for row in rows for name in (row.name, row.url)])
    hint = near.removeprefix("; ") or "watcher sources list shows them"
    raise SettingsError((), f"no source has the address or name {wanted}", hint=hint)


def read_file_or_stdin(path: Path, limit: int) -> bytes:
    """Read at most `limit` + 1 bytes of a file, or for "-" of standard input. Errors: SettingsError."""
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read(limit + 1)
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise SettingsError((), f"{path}: cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    outcome: str  # added, already there, left out
    name: str
    url: str
    why: str = ""


def import_opml(
    file: Annotated[Path, Argument(help="OPML file; - is standard input.")],
    dry_run: Annotated[bool, Option("--dry-run", help="Only show what would be done.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Add the feeds of an OPML file that are not in the settings yet; its folders become sections.

    A digest shows these sections only if its `sections` name them.
    """
    path = settings_path(config)
    text, settings = read_for_edit(path)
    opml = parse_opml(read_file_or_stdin(file, MAX_OPML_BYTES), name=str(file))
    rows, lines, sections = _classify_feeds(opml, settings)
    if rows and not dry_run:
        save_rows(path, text, rows)
    print_result(lines, _format_import(lines, sections, dry_run=dry_run), json=json)
    if refused := describe_refused_places([row.url for row in rows], settings.fetch.allow_private):
        print_err(refused)
    if opml.repairs:
        places = format_count(opml.repairs, "place")
        print_err(f"{file}: not well-formed XML in {places} (a bare & or <, or quotes in a text); read all the same")
    return PARTLY if any(line.outcome == "left out" for line in lines) else DONE


def _classify_feeds(opml: Opml, settings: Settings) -> tuple[list[SourceSettings], list[ImportResult], list[str]]:
    """Return the rows to add for the feeds of an OPML file, what is said about each feed, and the file's sections."""
    known, rows, lines = sources_by_key(settings), [], []
    sections: dict[str, None] = {}  # also of feeds that are there already
    for feed in opml.feeds:
        try:
            row, dropped = _to_source_row(feed)
        except SettingsError as error:
            lines.append(ImportResult(outcome="left out", name=feed.title, url=feed.url, why=str(error)))
            continue
        if row.section:
            sections[row.section] = None
        there = known.setdefault(normalize_url(row.url), row)
        if there is row:
            rows.append(row)
            lines.append(ImportResult(outcome="added", name=row.source().name, url=row.url, why="; ".join(dropped)))
        else:
            why = _describe_kept_section(there, row)
            lines.append(ImportResult(outcome="already there", name=there.source().name, url=there.url, why=why))
    lines += [ImportResult(outcome="left out", name="", url="", why=fault) for fault in opml.faults]
    return rows, lines, [*sections]


def _describe_kept_section(there: SourceSettings, row: SourceSettings) -> str:
    """Return what is said if a source that is there already does not get the section of its row in the file, or ""."""
    if not row.section or row.section == there.section:
        return ""
    has = f"section {to_toml(there.section)}" if there.section else "no section"
    return f"it keeps {has}; to change it, write in its [[sources]]: section = {to_toml(row.section)}"


def _to_source_row(feed: OpmlFeed) -> tuple[SourceSettings, tuple[str, ...]]:
    """Return the settings row of a feed, and a description of each value that was dropped. Errors: SettingsError."""
    fields = asdict(feed)
    # Other feed readers write arbitrary text for a language or country.
    name = str(fields.pop("title"))[:SOURCE_NAME_CHARS]
    parsed = {"language": language_tag(feed.language or ""), "country": country_code(feed.country or "")}
    dropped = tuple(
        f"{what} left out: {quote_value(fields[what])} is not a {what}"
        for what, value in parsed.items()
        if fields[what] and value is None
    )
    # The file may be a stranger's, and must not send this machine's secrets to its own server.
    headers = {name: value for name, value in feed.headers.items() if not secret_of(value)}
    if headers != feed.headers:
        dropped += ("headers with secrets left out",)
    section = (feed.section or "")[:SOURCE_NAME_CHARS].rstrip(" /")
    fields |= fields.pop("selectors")
    row = source_row(**fields | parsed | {"name": name, "section": section, "headers": headers})
    for fault in Settings.cross_field_issues({}, {"sources": [row.model_dump(exclude_defaults=True)]}):
        raise SettingsError((), f"{fault.loc[-1]}: {fault.message}")
    return row, dropped


def _format_import(lines: list[ImportResult], sections: list[str], *, dry_run: bool) -> Iterator[str]:
    """Yield a line for each feed, then the counts and a hint about sections."""
    words = {"added": "would be added"} if dry_run else {}
    for line in lines:
        feed = " ".join((*line.name.split(), line.url)).strip()
        yield ": ".join(part for part in (words.get(line.outcome, line.outcome), feed, line.why) if part)
    counts = {word: sum(line.outcome == word for line in lines) for word in ("added", "already there", "left out")}
    yield ", ".join(f"{number} {words.get(word, word)}" for word, number in counts.items())
    if sections:
        shown = f"[[digests]] sections = {to_toml(sections)}"
        yield f"the folders are sections of their sources; to see them in an edition: {shown}"


def export_opml(
    file: Annotated[Path | None, Argument(help="File to write; by default standard output.")] = None,
    with_passwords: Annotated[
        bool, Option("--with-passwords", help="Include passwords and keys in addresses.")
    ] = False,
    config: Config = None,
) -> int:
    """
    Write the sources as OPML; sections become folders.

    Passwords and keys in addresses are left out unless you give `--with-passwords`. Without them, feeds that need a
    password or key do not work for whoever imports the file. Cookies, secret headers, proxies, and sources that read
    newsletters from a mailbox are never written.
    """
    feeds = []
    for row in load_settings(config).sources:
        if is_mail(row.url):
            continue
        about = {key: value for key, value in asdict(row.source()).items() if key not in ("name", "every_s")}
        every = format_duration_setting(row.every) if row.every else None
        about |= {"user_agent": row.user_agent}
        about |= {"selectors": {k: css for k in PageSelectors.__slots__ if (css := getattr(row, k))}}
        about |= {"headers": {name: value for name, value in row.headers.items() if not secret_of(value)}}
        feeds.append(OpmlFeed(title=row.source().name, every=every, enabled=row.enabled, **about))
    secret = [feed for feed in feeds if hide_secrets(feed.url) != feed.url]
    if not with_passwords:
        feeds = [replace(feed, url=hide_secrets(feed.url)) for feed in feeds]
    text = render_opml(feeds, title="Watcher sources")
    if file is None or str(file) == "-":
        sys.stdout.buffer.write(text.encode())  # UTF-8, as it says itself
    else:
        write_file(file, text, private=with_passwords and bool(secret))
        print_err(f"wrote {format_count(len(feeds), 'source')} to {file}")
    if secret:
        how = "written without password or key; --with-passwords includes them"
        if with_passwords:
            how = "written with password or key: keep the file private"
        print_err(f"{format_count(len(secret), 'address', 'addresses')} {how}")
    return DONE
