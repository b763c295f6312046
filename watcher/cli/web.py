"""`watcher web`: the local site alone, without the daemon."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from typer import BadParameter, Option

from watcher.cli.app import DONE, Config, examples, load_settings
from watcher.cli.output import print_lines

if TYPE_CHECKING:
    from watcher.settings.model import Settings


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

    from watcher.daemon.site import site_app, store_routes
    from watcher.store.engine import open_store
    from watcher.web.serve import Listener

    settings = with_listen(load_settings(config), listen)
    engine = open_store(settings.store.url)
    loop_signals = (signal.SIGINT, signal.SIGTERM)

    async def serve() -> None:
        app = site_app(settings, engine, store_routes(settings, engine))
        listener = Listener("web", settings.web, app)
        await listener.listen()
        print_lines([f"http://{settings.web.listen}/ until Ctrl-C"])
        sys.stdout.flush()
        ended = asyncio.Event()
        for number in loop_signals:
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await ended.wait()
        await listener.close()

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
