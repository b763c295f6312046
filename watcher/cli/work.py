"""`watcher work`: a helper of daemons, on any machine."""

from __future__ import annotations

from watcher.cli.app import DONE, Config, current_session, examples, load_settings
from watcher.errors import SettingsError

MEND = 'set [store] url = "postgresql://…" and [work] queue = "pgqueuer" (docs/scale.md)'


@examples("watcher work", "watcher work --config /etc/watcher/settings.toml")
def command(config: Config = None) -> int:
    """
    Help beside `watcher run`, on this machine or another: poll feeds, fetch articles, make vectors.

    Start as many as are needed, with the settings of the daemon. They share the work by the queue that the store holds
    ([work] queue = "pgqueuer", docs/scale.md); what one leaves behind, another takes up. Editions are made by
    `watcher run`. Ctrl-C or SIGTERM stops it within ten seconds.
    """
    from watcher.daemon.logging import set_up
    from watcher.daemon.run import last_resort, run
    from watcher.store.engine import open_store
    from watcher.worker import scheduler

    settings = load_settings(config)
    if settings.work.queue == "local":
        alone = SettingsError((), '[work] queue is "local": the daemon shares its visits with nobody')
        alone.mend = MEND
        raise alone
    set_up(form=settings.log.format, level=settings.log.level, debug=current_session().debug)
    engine = open_store(settings.store.url)
    with last_resort() as on_end:
        scheduler.run(run(settings, engine, on_end=on_end, is_helper=True))
        engine.dispose()
    return DONE
