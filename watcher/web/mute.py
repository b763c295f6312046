"""Muting a source: switched off in the settings file, and at once in the store."""

from __future__ import annotations

from watcher.errors import SettingsError
from watcher.settings.edit import edit, save, switch_source
from watcher.settings.model import Settings
from watcher.store.feeds import sync_sources
from watcher.store.writer import write
from watcher.web.site import Site


def mute(site: Site, url: str, *, muted: bool) -> None:
    """
    Switch the source at `url` off or on.

    Errors: SettingsError if the file cannot be written, or has no such source.
    """
    path = site.settings.path
    if path is None:
        raise SettingsError((), "there is no settings file to note it in")
    text, settings = edit(path)
    save(path, switch_source(text, index_of(settings, url), enabled=not muted))
    site.settings = edit(path)[1]
    sources = site.settings.active_sources()
    write(site.engine, lambda c: sync_sources(c, sources, now=site.now()))
    site.on_settings()


def index_of(settings: Settings, url: str) -> int:
    """Return the place of the source at `url` in the file."""
    for index, row in enumerate(settings.sources):
        if row.url == url:
            return index
    raise SettingsError((), "the settings file has no such source any more")
