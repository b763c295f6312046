"""The daemon as a publisher meets it: started in a process of its own, stopped, started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select, update

from tests.manners.case import CONTACT, DEADLINE_S, EVERY_S, MAX_BYTES, TIMEOUT_S
from watcher.store.engine import connect
from watcher.store.schema import feeds, pages
from watcher.store.writer import read, write

ALLOWED = "127.66.0.0/16"  # the publisher's; the rest of loopback stays forbidden
END_S = 120.0
SETTINGS = f"""\
[store]
url = "sqlite:///watcher.db"

[poll]
every = "{EVERY_S:g}s"
min_every = "{EVERY_S:g}s"

[fetch]
contact = "{CONTACT}"
timeout = "{TIMEOUT_S:g}s"
deadline = "{DEADLINE_S:g}s"
max_bytes = {MAX_BYTES}
host_delay = "0s"
allow_private = ["{ALLOWED}"]

[semantic]
embedder = "none"
"""


class Reader:
    """A reader of `urls` with its store in `folder`."""

    def __init__(self, folder: Path, urls: Sequence[str]) -> None:
        self._folder = folder
        self._config = write_settings(folder / "settings.toml", urls)
        self._daemon: subprocess.Popen[bytes] | None = None
        self._log = folder / "daemon.log"

    def start(self) -> None:
        """Start the daemon."""
        with self._log.open("ab") as log:
            self._daemon = subprocess.Popen(
                [sys.executable, "-m", "watcher.cli.main", "run", "--config", str(self._config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Stop the daemon in order. Errors: AssertionError, with its log, if it does not end well."""
        if self._daemon is None:
            return
        self._daemon.send_signal(signal.SIGTERM)
        try:
            code = self._daemon.wait(END_S)
        finally:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None
        assert code == 0, self.log()

    def has_read_everything(self) -> bool:
        """Whether the daemon has polled each feed, and has no article to fetch or to store."""
        engine = connect(f"sqlite:///{self._folder / 'watcher.db'}")
        is_due = pages.c.next_try_at <= datetime.now(UTC)
        counts = [
            read(engine, lambda c, query=query: c.scalar(query))
            for query in (
                select(func.count()).select_from(feeds).where(feeds.c.last_polled_at.is_(None)),
                select(func.count()).select_from(pages).where(is_due),
            )
        ]
        engine.dispose()
        return not any(counts)

    def make_due(self, urls: Sequence[str]) -> None:
        """Make these feeds due, as somebody would who does not want to wait; the daemon must be stopped."""
        engine = connect(f"sqlite:///{self._folder / 'watcher.db'}")
        query = update(feeds).where(feeds.c.source_url.in_(urls)).values(next_poll_at=datetime.now(UTC))
        write(engine, lambda c: c.execute(query))
        engine.dispose()

    def log(self) -> str:
        """Return what the daemon logged."""
        return self._log.read_text(encoding="utf-8")


def write_settings(path: Path, urls: Sequence[str]) -> Path:
    """Write settings with these feeds as sources; return where."""
    rows = "".join(f'\n[[sources]]\nname = "Feed {n}"\nurl = {json.dumps(url)}\n' for n, url in enumerate(urls))
    path.write_text(SETTINGS + rows, encoding="utf-8")
    return path
