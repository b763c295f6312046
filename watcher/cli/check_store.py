"""`watcher check --deep`: looks the store through, says what it found and what mends it, and mends what it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.settings.model import Settings
    from watcher.store.check import Finding


def findings(settings: Settings, *, mend: bool) -> tuple[list[Finding], list[Finding]]:
    """
    Return what is not as it should be in the store, and of that what has been mended.

    Errors: StoreError, PluginError.
    """
    from watcher.store.check import looks
    from watcher.store.open import open_store
    from watcher.store.space import convert
    from watcher.store.writer import read

    engine = open_store(settings.store.url, make=False)
    try:
        if mend:
            convert(engine, even_large=True)
        found = [finding for look in looks() for finding in read(engine, lambda c, look=look: list(look(c)))]  # type: ignore[misc]
        mended = [finding for finding in found if mend and repaired(engine, finding)]
    finally:
        engine.dispose()
    return found, mended


def repaired(engine: Engine, finding: Finding) -> bool:
    """Mend a finding, a transaction at a time; False if nothing here mends it."""
    from watcher.store.writer import write

    if finding.repair is None:
        return False
    while write(engine, finding.repair):
        pass
    return True


def told(found: list[Finding], mended: list[Finding]) -> list[dict[str, Any]]:
    """Return findings as JSON has them."""
    return [{"what": each.what, "mend": each.mend, "mended": each in mended} for each in found]
