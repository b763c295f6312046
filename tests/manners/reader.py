"""The daemon as a publisher meets it: started in a process of its own, stopped, started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.manners.case import CONTACT, DEADLINE_S, EVERY_S, MAX_BYTES, TIMEOUT_S

ALLOWED = "127.66.0.0/16"  # the publisher's; the rest of loopback stays forbidden
END_S = 20.0
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
                watcher("run", self._config), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
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

    def poll_by_hand(self, urls: Sequence[str]) -> None:
        """Poll these feeds now, whatever their due times; the store then knows the other ones as before."""
        config = write_settings(self._folder / "by-hand.toml", urls)
        done = subprocess.run([*watcher("poll", config), "--all"], capture_output=True, timeout=END_S)
        assert done.returncode == 0, done.stdout + done.stderr

    def log(self) -> str:
        """Return what the daemon logged."""
        return self._log.read_text(encoding="utf-8")


def watcher(command: str, config: Path) -> list[str]:
    """Return a command line."""
    return [sys.executable, "-m", "watcher.cli.main", command, "--config", str(config)]


def write_settings(path: Path, urls: Sequence[str]) -> Path:
    """Write settings with these feeds as sources; return where."""
    rows = "".join(f'\n[[sources]]\nname = "Feed {n}"\nurl = {json.dumps(url)}\n' for n, url in enumerate(urls))
    path.write_text(SETTINGS + rows, encoding="utf-8")
    return path
