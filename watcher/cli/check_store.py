"""`watcher check --deep`: checks the integrity and consistency of the store."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from watcher.cli.options import closing_store
from watcher.settings.models import Settings
from watcher.store.check import Check, StoreProblem, all_checks
from watcher.store.engine import open_store
from watcher.store.writer import read, write


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFault:
    """A fault in the store, a hint, and whether it was repaired."""

    what: str
    hint: str
    mended: bool


def check_store(settings: Settings, *, mend: bool) -> list[StoreFault]:
    """Return the faults in the store; with `mend`, repair those that can be repaired. Errors: StoreError."""
    with closing_store(open_store(settings.store.url, create=False)) as engine:
        findings = [finding for check in all_checks() for finding in read(engine, run_check, check)]
        return [StoreFault(what=each.what, hint=each.hint, mended=mend and repair(engine, each)) for each in findings]


def run_check(connection: Connection, check: Check) -> list[StoreProblem]:
    return list(check(connection))


def repair(engine: Engine, finding: StoreProblem) -> bool:
    """Repair a problem, in as many transactions as needed; return False if it has no automatic repair."""
    while finding.repair and write(engine, finding.repair):
        pass
    return finding.repair is not None
