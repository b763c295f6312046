"""`watcher run`: the daemon."""

from __future__ import annotations

from watcher.cli.app import DONE, Config, current_session, examples, load_settings


@examples("watcher run", "watcher run --config /etc/watcher/settings.toml")
def command(config: Config = None) -> int:
    """
    Run the daemon: poll the feeds when they are due, fetch their articles, make each digest at its local time.

    It logs to standard error, one event a line. Ctrl-C or SIGTERM stops it; what was under way stays due.
    """
    from watcher.daemon import logs
    from watcher.daemon.run import run
    from watcher.store.open import open_store
    from watcher.work import loop

    settings = load_settings(config)
    logs.set_up(debug=current_session().debug)
    engine = open_store(settings.store.url)
    loop.run(run(settings, engine))
    engine.dispose()
    return DONE
