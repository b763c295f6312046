"""
Runs the daemon against a torture server for feed clients, restarts it once, and prints what the server says of it.

    python bench/torture.py --server server.py
    python bench/torture.py --server server.py --seconds 60 --keep build/torture

The server judges by the requests alone. It has commands `urls` and `serve`, and while serving a control port with
`/mark?name=restart`; it says what a run must and should show. Exits with 1 if any of it failed, with 2 if the run
could not be made. A whole run takes a little more than `--seconds`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

PORTS = range(18_500, 19_500, 20)  # base ports; the server takes the next one and the ninth after it too
CONTROL = 9
END_S = 12.0  # that a process has to end by itself: the daemon lets visits go on for eight
HEAD = """\
[store]
url = "sqlite:///watcher.db"

[poll]
every = "{interval}s"
min_every = "{interval}s"

[fetch]
contact = "mailto:torture@example.org"
timeout = "8s"
deadline = "30s"
allow_private = ["127.2.0.0/16", "[::1]:{port}"]

[semantic]
embedder = "none"
"""
# Waits for a line, then becomes the daemon: so its process id is known before the server starts.
WAIT_THEN_RUN = (
    "import os, sys; sys.stdin.readline() or sys.exit(); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


class NotRun(Exception):
    """No run could be made, for a reason in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run: `restart_s` is when the daemon is restarted, both after the server is ready."""

    server: Path
    seconds: float
    interval: int
    restart_s: float
    folder: Path
    port: int

    def command(self, *arguments: str) -> list[str]:
        """Return the server's command line."""
        return [sys.executable, str(self.server), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """The server's environment: it takes its port from there."""
        return {**os.environ, "TORTURE_PORT": str(self.port)}


def main() -> int:
    """Make the run; return 0 if nothing failed."""
    given = arguments()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        if given.server is None or not given.server.is_file():
            where = f"{given.server} is not there" if given.server else "none was named"
            raise NotRun(f"no torture server: {where}. Say where it is: make torture TORTURE=path/to/server.py")
        with folder_for(given.keep) as folder:
            plan = Plan(
                server=given.server.resolve(),
                seconds=given.seconds,
                interval=given.interval,
                restart_s=given.seconds / 4,
                folder=folder,
                port=free_port(),
            )
            return tell(run(plan))
    except NotRun as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("broken off", file=sys.stderr)
        return 130


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", type=Path, help="the torture server, a Python file")
    parser.add_argument("--seconds", type=float, default=130.0, help="length of the run; some cases need 110")
    parser.add_argument("--interval", type=int, default=5, help="seconds between two polls of a feed")
    parser.add_argument("--keep", type=Path, help="folder for report, request log and the daemon's log")
    return parser.parse_args()


def interrupt(number: int, frame: FrameType | None) -> None:
    """End by a signal as by Ctrl-C, so that what was started is ended too."""
    del number, frame
    raise KeyboardInterrupt


@contextmanager
def folder_for(keep: Path | None) -> Iterator[Path]:
    """Yield the folder of the run: `keep`, emptied of an older run's store, or one that is removed at the end."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="watcher-torture-") as name:
            yield Path(name)
        return
    keep.mkdir(parents=True, exist_ok=True)
    for old in keep.glob("watcher.db*"):
        old.unlink()
    yield keep.resolve()


def free_port() -> int:
    """Return a base port that is free with the two that go with it. Errors: NotRun."""
    for port in PORTS:
        try:
            for beside in (port, port + 1, port + CONTROL):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", beside))
        except OSError:
            continue
        return port
    raise NotRun(f"no free port from {PORTS.start} to {PORTS.stop}")


def run(plan: Plan) -> dict[str, object]:
    """Return the server's report. Errors: NotRun."""
    config = write_settings(plan)
    with (plan.folder / "daemon.log").open("wb") as log:
        first = start_daemon(config, log)
        server = start_server(plan, watched=first)
        running = [server, first]
        try:
            tell_to_go(first)
            begun = time.monotonic()
            print(f"running for {plan.seconds:g} s, restart after {plan.restart_s:g} s", flush=True)
            wait(running, plan, until=begun + plan.restart_s)
            mark(plan)
            end(first)
            second = start_daemon(config, log)
            running[1] = second
            tell_to_go(second)
            wait(running, plan, until=begun + plan.seconds + END_S)
        finally:
            for process in reversed(running):
                end(process)
    report = plan.folder / "report.json"
    if not report.is_file():
        raise NotRun(f"the torture server wrote no report:\n{tail(plan.folder / 'server.log')}")
    return dict(json.loads(report.read_text(encoding="utf-8")))


def write_settings(plan: Plan) -> Path:
    """Write the daemon's settings, with the server's feeds as sources; return where."""
    told = subprocess.run(
        plan.command("urls", "--format", "json"), env=plan.environment, capture_output=True, text=True, check=False
    )
    if told.returncode != 0:
        raise NotRun(f"{plan.server} does not say its feeds:\n{told.stderr[-500:]}")
    rows = "".join(
        f'\n[[sources]]\nname = "{row["case"]} {number}"\nurl = {json.dumps(row["url"])}\n'
        for number, row in enumerate(json.loads(told.stdout))
    )
    path = plan.folder / "settings.toml"
    path.write_text(HEAD.format(interval=plan.interval, port=plan.port) + rows, encoding="utf-8")
    return path


def start_daemon(config: Path, log: object) -> subprocess.Popen[bytes]:
    """Start the daemon, which waits to be told to go."""
    daemon = ["-m", "watcher.cli.main", "run", "--config", str(config)]
    return subprocess.Popen(
        [sys.executable, "-c", WAIT_THEN_RUN, *daemon],
        stdin=subprocess.PIPE,
        stdout=log,  # type: ignore[call-overload]
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def tell_to_go(daemon: subprocess.Popen[bytes]) -> None:
    """Let a started daemon run."""
    assert daemon.stdin is not None
    daemon.stdin.write(b"go\n")
    daemon.stdin.close()


def start_server(plan: Plan, *, watched: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Start the server and wait until it answers. Errors: NotRun."""
    what = ("serve", "--seconds", f"{plan.seconds:g}", "--interval", str(plan.interval), "--pid", str(watched.pid))
    files = ("--report", str(plan.folder / "report.json"), "--log", str(plan.folder / "requests.jsonl"))
    (plan.folder / "report.json").unlink(missing_ok=True)
    with (plan.folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            plan.command(*what, *files),
            env=plan.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 60.0
        while b"ready" not in (plan.folder / "server.log").read_bytes():
            if server.poll() is not None or time.monotonic() > until:
                raise NotRun(f"the torture server does not start:\n{tail(plan.folder / 'server.log')}")
            time.sleep(0.1)
    except BaseException:
        end(server)
        end(watched)
        raise
    return server


def wait(running: list[subprocess.Popen[bytes]], plan: Plan, *, until: float) -> None:
    """Wait until a time or until the server has ended. Errors: NotRun, if the daemon ends before."""
    server, daemon = running
    while time.monotonic() < until and server.poll() is None:
        if daemon.poll() is not None:
            raise NotRun(f"the daemon ended by itself ({daemon.returncode}):\n{tail(plan.folder / 'daemon.log')}")
        time.sleep(0.2)


def mark(plan: Plan) -> None:
    """Tell the server that the daemon is restarted now."""
    urllib.request.urlopen(f"http://127.0.0.1:{plan.port + CONTROL}/mark?name=restart", timeout=10).close()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started; what does not end by itself is killed."""
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def tail(path: Path) -> str:
    """Return the last lines of a log."""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


def tell(report: dict[str, object]) -> int:
    """Print the report's figures and every case that did not pass; return 1 if one failed."""
    cases: list[dict[str, str]] = report["cases"]  # type: ignore[assignment]
    failed = 0
    for level in ("must", "should"):
        judged = [case for case in cases if case["level"] == level and case["result"] != "n/a"]
        passed = sum(case["result"] == "pass" for case in judged)
        failed += len(judged) - passed
        print(f"{level}: {passed} of {len(judged)} passed")
    for case in cases:
        if case["result"] != "pass":
            print(f"{case['result']}  {case['level']}  {case['id']}: {case['why']}")
    if peak := report.get("rss_peak_mb"):
        print(f"memory of the daemon before its restart: {peak} MB at most")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
