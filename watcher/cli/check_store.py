"""`watcher check --deep`: whether the store is sound and what is in it belongs together."""

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
    """Something that is not as it should be in the store."""

    what: str
    hint: str
    mended: bool


def check_store(settings: Settings, *, mend: bool) -> list[StoreFault]:
    """Return what is not as it should be in the store, repaired where that is asked for. Errors: StoreError."""
    with closing_store(open_store(settings.store.url, create=False)) as engine:
        findings = [finding for check in all_checks() for finding in read(engine, run_check, check)]
        return [StoreFault(what=each.what, hint=each.hint, mended=mend and repair(engine, each)) for each in findings]


def run_check(connection: Connection, check: Check) -> list[StoreProblem]:
    return list(check(connection))


def repair(engine: Engine, finding: StoreProblem) -> bool:
    """Repair a finding, a transaction at a time; False if nothing here repairs it."""
    while finding.repair and write(engine, finding.repair):
        pass
    return finding.repair is not None
