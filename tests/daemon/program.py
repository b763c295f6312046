"""The daemon as a process of its own, its log read line by line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.patience import PATIENCE_S


class Program:
    """`watcher run` with its log; ended by `close`, whatever happens."""

    def __init__(
        self,
        settings: Path,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        python: str = sys.executable,
    ) -> None:
        self.settings = settings
        self._log = settings.parent / f"log-{time.monotonic_ns()}"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "-m", "watcher", "run", *arguments, "--config", str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **(environ or {})},
            )

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def wait_for(self, words: str, *, times: int = 1, within_s: float = PATIENCE_S) -> None:
        """Wait until the log has `words` so many times."""
        until = time.monotonic() + within_s
        while self.log.count(words) < times:
            assert time.monotonic() < until, f"no {words!r} in:\n{self.log}"
            assert self.process.poll() is None or self.log.count(words) >= times, f"it ended:\n{self.log}"
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, within_s: float = PATIENCE_S) -> int:
        return self.process.wait(within_s)

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
