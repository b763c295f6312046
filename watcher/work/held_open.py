"""Tells in the log who holds a transaction open on the store's server, once each: the tables grow meanwhile."""

from __future__ import annotations

import logging
from datetime import timedelta

from watcher.store.held_open import LONG, HeldOpen, held_open
from watcher.store.writer import Writer
from watcher.text.fields import fields

log = logging.getLogger("watcher.work")


class Watch:
    """Looks now and then; `told` are those that the log has, as long as they are open."""

    def __init__(self, *, longer_than: timedelta = LONG) -> None:
        self.told: frozenset[HeldOpen] = frozenset()
        self._longer_than = longer_than

    async def look(self, writer: Writer) -> None:
        """Tell of transactions that were not told of yet."""
        found = await writer.read(lambda c: held_open(c, longer_than=self._longer_than))
        known = {(each.pid, each.since) for each in self.told}
        for each in found:
            if (each.pid, each.since) not in known:
                log.warning(
                    "transaction_held_open %s",
                    fields(
                        pid=each.pid,
                        application=each.application,
                        login=each.login,
                        state=each.state,
                        since=each.since,
                        mend=each.mend,
                    ),
                )
        self.told = frozenset(found)
