"""`watcher web`: the local site alone, without the daemon."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from typer import BadParameter, Option

from watcher.cli.app import DONE, Config, examples, load_settings
from watcher.cli.output import print_lines

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.settings.model import Settings
    from watcher.web.app import Extra, Told


@examples("watcher web", "watcher web --listen 127.0.0.1:8500", "watcher web --listen '[::1]:8420'")
def command(
    listen: Annotated[
        str | None, Option("--listen", metavar="HOST:PORT", help="Where; else [web] listen, else 127.0.0.1:8420.")
    ] = None,
    config: Config = None,
) -> int:
    """
    Serve the local site: today's edition, the archive, each story and article, the sources, search.

    `watcher run` serves it too. An address that others can reach needs `[web] token` in the settings: a browser asks
    for it as a password. Ctrl-C ends it.
    """
    import asyncio
    import signal

    from watcher.store.open import open_store

    settings = with_listen(load_settings(config), listen)
    engine = open_store(settings.store.url)
    loop_signals = (signal.SIGINT, signal.SIGTERM)

    async def serve() -> None:
        from watcher.web.serve import Served

        served = Served(settings, engine, extra=extra(settings, engine))
        await served.listen()
        print_lines([f"http://{settings.web.listen}/ until Ctrl-C"])
        sys.stdout.flush()
        ended = asyncio.Event()
        for number in loop_signals:
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await ended.wait()
        await served.close()

    try:
        asyncio.run(serve())
    finally:
        engine.dispose()
    return DONE


def with_listen(settings: Settings, listen: str | None) -> Settings:
    """Return the settings with another address. Errors: BadParameter, if it is none, or needs a token."""
    from watcher.settings.daemon import WEB_LISTEN, is_loopback, place

    wanted = listen or settings.web.listen or WEB_LISTEN
    found = place(wanted)
    if found is None:
        raise BadParameter(f'expected host:port such as "{WEB_LISTEN}"', param_hint="--listen")
    if not is_loopback(found[0]) and settings.web.token is None:
        raise BadParameter('others can reach it: set [web] token = "file:…" first', param_hint="--listen")
    return settings.model_copy(update={"web": settings.web.model_copy(update={"listen": wanted})})


def extra(settings: Settings, engine: Engine) -> Extra:
    """Return what answers `/healthz` and `/metrics` where no daemon does: the store's own numbers."""
    import asyncio

    async def metrics() -> Told:
        from watcher.daemon.endpoint import TEXT
        from watcher.daemon.metrics import Times, of_the_store, page
        from watcher.store.writer import read

        found = await asyncio.to_thread(read, engine, lambda c: tuple(of_the_store(c, settings)))
        return 200, page(found, Times()).encode(), TEXT

    async def healthz() -> Told:
        from watcher.daemon.endpoint import as_health
        from watcher.store.articles import count_articles
        from watcher.store.writer import read

        count = await asyncio.to_thread(read, engine, count_articles)
        told = as_health({}, {"articles": count})
        return 200, told.body, told.kind

    return {"/metrics": metrics, "/healthz": healthz}
