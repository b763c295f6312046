"""`watcher run`: the daemon."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from watcher.cli.app import DONE, PARTLY, Config, current_session, examples, load_settings


@examples("watcher run", "watcher run --once", "watcher run --config /etc/watcher/settings.toml")
def command(
    once: Annotated[bool, Option("--once", help="Do all that is due once, and end: for cron.")] = False,
    config: Config = None,
) -> int:
    """
    Run the daemon: poll the feeds when they are due, fetch their articles, make each digest at its local time.

    It logs to standard error, one event a line. SIGHUP reads the settings anew; wrong ones are named, and the old ones
    stay. Ctrl-C or SIGTERM stops it within ten seconds; what was under way stays due. One daemon works on a store.
    """
    from watcher.daemon.logging import set_up
    from watcher.daemon.run import last_resort, run, run_once
    from watcher.store.engine import open_store
    from watcher.worker import scheduler

    settings = load_settings(config)
    set_up(form=settings.log.format, level=settings.log.level, debug=current_session().debug)
    engine = open_store(settings.store.url)
    with last_resort() as on_end:
        if once:
            went_well = scheduler.run(run_once(settings, engine, on_end=on_end))
        else:
            scheduler.run(run(settings, engine, on_end=on_end))
            went_well = True
        engine.dispose()
    return DONE if went_well else PARTLY
