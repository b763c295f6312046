"""`watcher keep`: keeps stories and articles with tags and notes, lists them, and writes them as files of notes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, BadParameter, Option

from digests.cli.lookup import parse_story_id
from digests.delivery.file import write_files
from digests.model.delivery import Rendered
from digests.model.kept_item import KeptItem
from digests.render.vault import render_note
from digests.store.editions import open_digests
from digests.stories.marks import keep, load_kept, load_reports, unkeep
from watcher.cli.options import Config, Json, closing_store, load_settings
from watcher.cli.output import MINUTE, print_lines, print_result, select_fields
from watcher.store.writer import read, write
from watcher.text.format import format_count
from watcher.text.plain_text import to_one_line

NOTE_CHARS = 200  # of a note in the list


def keep_item(
    wanted: Annotated[
        str | None,
        Argument(metavar="[STORY|ARTICLE]", help="A story, or the id or URL of an article; without it, list them."),
    ] = None,
    tag: Annotated[
        list[str] | None, Option("--tag", "-t", help="Tag to set, instead of its tags; in a list, the tag to show.")
    ] = None,
    note: Annotated[str | None, Option("--note", help="Note to set, instead of the one that it has.")] = None,
    stop: Annotated[bool, Option("--stop", help="Stop keeping the story or article.")] = False,
    words: Annotated[str | None, Option("--search", help="List only those with these words.")] = None,
    vault: Annotated[
        Path | None, Option("--vault", help="Write each as a Markdown file into this folder.", file_okay=False)
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """
    Keep a story or an article with tags and a note of your own, or list what you keep.

    What you keep is not deleted when it is older than [store] keep_articles: an article with its text, a story with all
    its reports. If the story is joined with another one or split, you keep the story that has its articles.

    With --vault, each becomes a Markdown file with front matter. A file that is there already is left as it is.
    """
    if wanted is None and (stop or note is not None):
        option = "--stop" if stop else "--note"
        raise BadParameter(f"needs a story or an article, such as: watcher keep 3 {option}", param_hint=option)
    if wanted is not None and (words is not None or vault):
        raise BadParameter("is for the list, without a story or an article", param_hint="--search and --vault")
    settings = load_settings(config)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        if wanted is None:
            items = read(engine, load_kept, words=words or "", tag=(tag or [""])[0])
            if vault is None:
                print_result([_to_json(item) for item in items], list(_format_items(items)), json=json)
            else:
                notes = [render_note(item, read(engine, load_reports, item)) for item in items]
                print_lines([_write_notes(vault, notes)])
            return
        key = read(engine, parse_story_id, settings, wanted)
        if stop:
            item, changed = write(engine, unkeep, key)
        else:
            item, changed = write(engine, keep, key, tags=tag, note=note, now=datetime.now(UTC))
    verb = ("no longer keep" if changed else "do not keep") if stop else "keep" if changed else "already keep"
    values = {**_to_json(item), "kept": not stop, "changed": changed} | ({"kept_at": None} if stop else {})
    print_result(values, [f"You {verb} the {item.kind} {item.id}: {item.title}"], json=json)


def _format_items(items: tuple[KeptItem, ...]) -> Iterator[str]:
    """Yield the lines on what was kept: title, time, tags and note."""
    if not items:
        yield "nothing is kept; watcher keep STORY keeps a story, watcher keep URL an article"
    for item in items:
        outlet = f"{item.outlet}, " if item.outlet else ""
        tags = "".join(f" #{tag}" for tag in item.tags)
        yield f"{item.id}  {item.title} ({outlet}{item.at:{MINUTE}} UTC, kept {item.kept_at:{MINUTE}}){tags}"
        if item.note:
            yield f"    {to_one_line(item.note, NOTE_CHARS)}"


def _to_json(item: KeptItem) -> dict[str, Any]:
    values = select_fields(item, "id", "title", "language", "kind", "kept_at", "tags", "note")
    values |= {"outlet": item.outlet or None, "url": item.article.url if item.article else None}
    return values | {"published_at" if item.article else "last_report_at": item.at}


def _write_notes(folder: Path, notes: list[Rendered]) -> str:
    """Write the notes on items that have no file yet. Errors: DeliveryError."""
    new = [note for note in notes if not any(folder.glob(f"*{note.name.rpartition(' ')[2]}"))]
    write_files(new, folder, channel="--vault")
    there = len(notes) - len(new)
    return f"{folder}: {format_count(len(new), 'note')} written" + (f", {there} already there" if there else "")
