"""
A power cut at the worst moment: a mail is accepted, and all is lost that no fsync has brought to the disk.

The program runs under strace, which says what of the store's log was written and synced by then; with it, fsync fails.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.test_digest_send import FLOOD, SETTINGS
from tests.delivery.mail_server import MailServer
from tests.kinds import on_sqlite
from watcher.cli.main import run_command_line

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]
CALL = re.compile(r"(?P<call>pwrite64|fdatasync|fsync)\(\d+<(?P<path>[^>]+)>(?:.*, (?P<size>\d+), (?P<at>\d+)\))?")
TRACE = ("strace", "-f", "-y", "-s", "0", "-e", "trace=pwrite64,fdatasync,fsync")


def synced_bytes(trace: Path, path: Path) -> int:
    """Return how much of a file that grows had been synced when the trace was read."""
    written = synced = 0
    for line in trace.read_text().splitlines():
        found = CALL.search(line)
        if found is None or found["path"] != str(path):
            continue
        if found["call"] == "pwrite64":
            written = max(written, int(found["at"]) + int(found["size"]))
        else:
            synced = written
    return synced


def send(folder: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    """Run `watcher digest --send` on the settings in a folder, traced into the file "trace" beside them."""
    program = (sys.executable, "-m", "watcher", "digest", "--send", "--config", str(folder / "settings.toml"))
    return subprocess.run([*TRACE, *options, "-o", str(folder / "trace"), *program], capture_output=True, timeout=120)


@on_sqlite
def test_a_mail_that_was_accepted_right_before_a_power_cut_is_sent_again_as_the_same_mail(put, engine, tmp_path):
    after = tmp_path / "after"
    after.mkdir()
    log = tmp_path / "watcher.db-wal"

    def cut() -> bool:
        if not (after / "watcher.db").exists():
            for name in ("watcher.db", "watcher.db-wal"):
                shutil.copy(tmp_path / name, after)
            with (after / log.name).open("r+b") as left:
                left.truncate(synced_bytes(tmp_path / "trace", log))
        return False

    put("Herald", FLOOD, datetime.now(UTC) - timedelta(hours=2))
    engine.dispose()  # the store is one file on the disk
    with MailServer(at={"dot": cut}) as server:
        settings = SETTINGS.format(port=server.port, more="").replace("copies", str(tmp_path / "copies"))
        for folder in (tmp_path, after):
            (folder / "settings.toml").write_text(settings)
        before_cut = send(tmp_path)
        assert run_command_line(["digest", "--send", "--yes", "--config", str(after / "settings.toml")]) == 0

    assert before_cut.returncode == 0, before_cut.stderr
    assert [mail.recipient for mail in server.taken] == ["ann@example.net", "bob@example.net"] * 2
    assert server.taken[0].body == server.taken[2].body


@on_sqlite
def test_a_sync_that_fails_is_told_and_nothing_is_sent(put, engine, tmp_path):
    put("Herald", FLOOD, datetime.now(UTC) - timedelta(hours=2))
    engine.dispose()
    with MailServer() as server:
        (tmp_path / "settings.toml").write_text(SETTINGS.format(port=server.port, more=""))
        failed = send(tmp_path, "-P", str(tmp_path / "watcher.db-wal"), "-e", "inject=fdatasync,fsync:error=EIO")

    assert failed.returncode == 1
    assert b"its disk reports an error" in failed.stderr and b"Traceback" not in failed.stderr
    assert server.taken == []
