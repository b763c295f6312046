"""`watcher run`, `work`, `web` and `site`: the daemon, additional workers, and the local site."""

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from sqlalchemy import Engine
from typer import Argument, BadParameter, Option

from watcher.cli.commands import DONE, PARTLY, SESSION
from watcher.cli.options import Config, Yes, closing_store, load_settings
from watcher.cli.output import format_bytes, print_lines
from watcher.daemon.logging import configure_logging
from watcher.daemon.routes import store_routes
from watcher.daemon.run import exit_watchdog, run, run_once
from watcher.errors import SettingsError, WatcherError
from watcher.settings.models import WEB_LISTEN, Settings, is_loopback, parse_host_port
from watcher.store.daemon_lock import list_daemon_statuses
from watcher.store.engine import open_store
from watcher.store.feeds import claim_store
from watcher.store.stats import last_change
from watcher.store.writer import read
from watcher.web.app import SiteApp
from watcher.web.app import export_site as write_site
from watcher.web.serve import Listener
from watcher.web.site import Site, load_site_plugins
from watcher.worker import scheduler

QUEUE_HINT = 'set [store] url = "postgresql://…" and [work] queue = "pgqueuer" (docs/guides/many-machines.md)'


def run_daemon(
    once: Annotated[bool, Option("--once", help="Do everything that is due, then exit: for cron.")] = False,
    yes: Yes = False,
    config: Config = None,
) -> int:
    """
    Run the daemon: poll the feeds when they are due, fetch their articles, and make each edition on schedule.

    It logs to standard error, one event per line. It reads changed settings within seconds; if they have errors, it
    logs them and keeps the old settings. Ctrl-C or SIGTERM stops it within ten seconds; press Ctrl-C twice to stop
    it at once. After the next start, the daemon finishes the work that was left. A store can have only one daemon.
    """
    return _run_until_signal(load_settings(config), once=once, take_over=yes)


def run_worker(config: Config = None) -> int:
    """
    Run an additional worker, on this machine or another: it polls feeds, fetches articles and embeds them.

    This needs a store in PostgreSQL and `[work] queue = "pgqueuer"` (docs/guides/many-machines.md). Start as many as
    you need, with the settings of the daemon. If one stops, the others take over its work. Only the daemon makes
    editions. Ctrl-C stops a worker within ten seconds; press it twice to stop at once.
    """
    settings = load_settings(config)
    if settings.work.queue == "local":
        raise SettingsError((), '[work] queue is "local": the daemon does not share its work', hint=QUEUE_HINT)
    return _run_until_signal(settings, is_helper=True)


def _run_until_signal(
    settings: Settings, *, once: bool = False, take_over: bool = False, is_helper: bool = False
) -> int:
    """
    Run a daemon or an additional worker (`is_helper`) until a signal, or do once what is due; return the exit code.
    """
    configure_logging(settings.log, debug=SESSION.debug)
    SESSION.exit_immediately = True
    engine = open_store(settings.store.url)
    with exit_watchdog() as on_end, closing_store(engine):
        if not is_helper:
            claim_store(engine, settings, take_over=take_over)
        if once:
            return DONE if scheduler.run(run_once(settings, engine, on_end=on_end)) else PARTLY
        scheduler.run(run(settings, engine, on_end=on_end, is_helper=is_helper, debug=SESSION.debug))
    return DONE


def serve_site(
    listen: Annotated[
        str | None, Option("--listen", metavar="HOST:PORT", help="Address; by default [web] listen, or 127.0.0.1:8420.")
    ] = None,
    yes: Yes = False,
    config: Config = None,
) -> None:
    """
    Serve the local site: today's edition, the archive, each story and article, the sources, search.

    `watcher run` serves it too. An address that other machines can reach needs `[web] token` in the settings; a
    browser asks for it as a password. Ctrl-C stops it.
    """
    written = load_settings(config)
    settings = _override_listen(written, listen)
    with closing_store(open_store(settings.store.url)) as engine:
        if listen is None and written.web.listen and _is_daemon_here(engine):
            raise WatcherError(
                f"the daemon serves the site already: http://{written.web.listen}/",
                hint="watcher web --listen 127.0.0.1:8421 serves it at a second address",
            )
        claim_store(engine, settings, take_over=yes)
        asyncio.run(_serve_until_signal(settings, engine))


def _is_daemon_here(engine: Engine) -> bool:
    """Whether a daemon runs on this store on SQLite; one on PostgreSQL may be on another machine, with its own site."""
    marks = list_daemon_statuses(engine)
    return any(mark.is_running and not mark.is_worker and not mark.machine for mark in marks)


async def _serve_until_signal(settings: Settings, engine: Engine) -> None:
    """Serve the site until Ctrl-C or SIGTERM."""
    listener = Listener("web", settings.web, SiteApp(settings, engine, store_routes(settings, engine)))
    await listener.listen()
    print_lines([f"http://{settings.web.listen}/ (Ctrl-C stops it)"])
    sys.stdout.flush()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await listener.close()


def _override_listen(settings: Settings, listen: str | None) -> Settings:
    """Return the settings with `listen` as `[web] listen`. Errors: BadParameter if it is invalid or needs a token."""
    wanted = listen or settings.web.listen or WEB_LISTEN
    address = parse_host_port(wanted)
    if address is None:
        raise BadParameter(f'expected host:port such as "{WEB_LISTEN}"', param_hint="--listen")
    if not is_loopback(address[0]) and settings.web.token is None:
        raise BadParameter('other machines can reach it: set [web] token = "file:…" first', param_hint="--listen")
    return settings.model_copy(update={"web": settings.web.model_copy(update={"listen": wanted})})


def export_site(
    directory: Annotated[Path, Argument(metavar="DIR", help="Folder for the files: new, or from an earlier export.")],
    config: Config = None,
) -> None:
    """
    Export the site as files that open from disk: editions, archive, stories, articles, sources.

    Links are relative. The pages have no forms and no search, and they leave out the recipients of mail.
    If the store has not changed, a second export writes the same files. Each export removes files of an earlier one
    that no longer belong to the site.
    """
    settings = load_settings(config)
    with closing_store(open_store(settings.store.url, create=False)) as engine:
        plugins = load_site_plugins(settings, engine)
        at = read(engine, last_change) or datetime.now(UTC)
        site = Site(settings=settings, engine=engine, plugins=plugins, now=lambda: at, is_static=True)
        pages, others, size = write_site(site, directory)
    print_lines([f"wrote {pages} pages and {others} other files ({format_bytes(size)}) to {directory}"])
