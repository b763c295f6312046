"""`watcher sources test`: one feed asked for and told as the client sees it, without the store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.app import DONE, FAILED, Config, Json, examples
from watcher.cli.looking import reason_of, settings_or_defaults, spellings, tell_on_terminal
from watcher.cli.output import print_json, print_lines
from watcher.cli.probe_words import as_json, lines
from watcher.cli.sources import find_source
from watcher.errors import SettingsError
from watcher.worker.inspect import open_prober, predict_next_poll

if TYPE_CHECKING:
    from watcher.settings.model import Settings, SourceSettings
    from watcher.worker.inspect import ProbeResult, Revalidation


@examples(
    "watcher sources test https://example.org/feed.xml",
    "watcher sources test 'The Example'",
    "watcher sources test example.org/feed --json",
)
def command(
    source: Annotated[str, typer.Argument(metavar="URL|NAME", help="Address of a feed, or name of a source.")],
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Ask for a feed and show what it is like: redirects, validators, freshness, entries, and when it would be polled.

    Nothing is stored, and the settings need not name it. Exit code 1 if it cannot be used.
    """
    settings = settings_or_defaults(config)
    urls, row = meant(settings, source)
    look, again = asyncio.run(look_at(urls, settings))
    own_every_s = row.source().every_s if row else None
    when = predict_next_poll(look, settings.poll, own_every_s=own_every_s)
    if json:
        print_json(as_json(look, again, when, row))
    else:
        print_lines(lines(look, again, when, row))
    return FAILED if reason_of(look) else DONE


def meant(settings: Settings, typed: str) -> tuple[tuple[str, ...], SourceSettings | None]:
    """
    Return the URLs that a person means, and the source of the settings if it is one.

    Errors: SettingsError if `typed` is neither a source nor an address.
    """
    try:
        row = settings.sources[find_source(settings, typed)]
    except SettingsError as unknown:
        if any(row.source().name.casefold() == typed.casefold() for row in settings.sources):
            raise  # the name of several
        try:
            return spellings(typed), None
        except SettingsError as error:
            raise (unknown if settings.sources and "://" not in typed else error) from None
    return (row.url,), row


async def look_at(urls: tuple[str, ...], settings: Settings) -> tuple[ProbeResult, Revalidation | None]:
    """Return what is at an address, and where that is a feed, what a second, conditional request brought."""
    async with open_prober(settings, tell=tell_on_terminal) as looker:
        look = await looker.look_first(urls)
        return look, await looker.look_again(look) if look.report else None
