"""`watcher poll`: one pass over the feeds that are due, their new articles fetched, cleaned and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Option

from watcher.cli.app import DONE, FAILED, PARTLY, Config, Json, current_session, examples, load_settings
from watcher.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from watcher.cli.tally import Tally


@examples("watcher poll", "watcher poll --all", "watcher poll --all --json", "watcher poll --no-pages")
def command(
    everything: Annotated[bool, Option("--all", help="Poll every feed, due or not.")] = False,
    pages: Annotated[bool, Option(help="Fetch the new articles too; without, they wait.")] = True,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Poll the feeds that are due once, and fetch their new articles.

    It can run beside the daemon: no host is asked by both at once.
    """
    from watcher.cli.passing import one_pass
    from watcher.store.open import open_store
    from watcher.work import loop

    settings = load_settings(config)
    engine = open_store(settings.store.url)
    tally = loop.run(one_pass(settings, engine, everything=everything, quiet=json, pages=pages))
    engine.dispose()
    if json:
        print_json(tally.as_json())
    else:
        print_lines(tally.lines())
    current_session().leaves_nothing = True
    return exit_code(tally)


def exit_code(tally: Tally) -> int:
    """Return done; partly failed if a feed or a page failed; failed if every feed did."""
    if tally.feeds and tally.failed == tally.feeds:
        return FAILED
    return PARTLY if tally.failures or tally.pages_lost else DONE
