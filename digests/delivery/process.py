"""What the channels share that run a program: it ends with the channel, and its children with it."""

import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

from digests.settings.channel import Channel


class ProcessChannel(Channel):
    """A channel that runs a program, in a session of its own."""

    _process: subprocess.Popen[Any] | None = None

    def abort(self) -> None:
        super().abort()
        self.close()

    def close(self) -> None:
        """Kill the program and its children, if it is still running."""
        if (process := self._process) is not None and process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
