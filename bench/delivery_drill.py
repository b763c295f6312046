"""
Kills whoever delivers an edition between any two steps, and breaks the mail server at each; counts who got what.

    python -m bench.delivery_drill

Three readers are owed an edition. In the first part, `watcher digest --send` is a process of its own, and the mail
server ends it with SIGKILL at a step of the protocol, of the first reader's mail or the second's. In the second, it
is ended at each beginning and each commit of a transaction in the store, from the first of its life to the last; in
the third, a process that only sends is. In the fourth, the server drops the connection, answers 4xx, or hangs, once at
each step. Then all is well again, and what is still owed is sent. Prints a line for each; exits with 1 if a reader has
none, or two where one can know better.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import StringIO
from itertools import count as count_from
from pathlib import Path

from sqlalchemy import Engine, event

from digests.delivery.outbox import OutboxWorker
from digests.model.delivery import OutboundMessage, Rendered
from digests.store import outbox
from digests.store.editions import open_digests
from digests.store.keys import EditionKey
from digests.store.outbox import SENT
from tests.delivery.mail_server import STEPS, MailServer
from watcher.cli.main import run_command_line
from watcher.settings.load import load_settings_file
from watcher.store.writer import read, write

READERS = ("ann@example.net", "bob@example.net", "cem@example.net")
PLACE = EditionKey(digest="world", local_date=date(2026, 11, 24))
MAIL = b"From: w@example.org\r\nMessage-ID: <1@example.org>\r\n\r\n" + b"news of the day\r\n" * 2_000
# Where the server has all of a mail, and the sender cannot know it: at the dot; while both are under way, it might.
UNKNOWABLE = ("dot",)
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
SETTINGS = """
[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "none"
[smtp]
host = "127.0.0.1"
port = {port}
security = "{security}"
timeout = "2s"
{login}
[[digests]]
name = "world"
formats = ["text"]
mail = {{ from = "World <w@example.org>" }}
deliver = [{{ channel = "smtp", to = {readers} }}]
"""
# Starts processes from one that has this module loaded: they begin at once.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])
# Of the events in the store that belong to a mail, those after its dot: beginning and commit of "sent".
OPENING = 2  # a look at the versions of the two schemas
EVENTS, AFTER_THE_DOT = 7, (6, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What came of one drill: copies for each reader, and whether those of one reader are the same mail."""

    name: str
    ended: bool  # the process was killed, the server broke
    copies: tuple[int, ...]
    one_id: bool
    settled: bool  # the outbox says that all is sent

    def is_right(self, *, unknowable: bool) -> bool:
        """Whether nobody has none, and nobody two unless nobody could know; two are the same mail."""
        most = 2 if unknowable else 1
        return self.settled and self.one_id and all(1 <= each <= most for each in self.copies)


def write_settings(folder: Path, server: MailServer) -> Path:
    """Write the settings of a drill."""
    is_secret = server.tls is not None
    login = 'user = "user"\npassword = "env:WATCHER_DRILL_PASSWORD"' if is_secret else ""
    path = folder / "settings.toml"
    path.write_text(
        SETTINGS.format(
            port=server.port,
            security="starttls" if is_secret else "plain",
            login=login,
            readers=str(list(READERS)).replace("'", '"'),
        )
    )
    return path


def count(name: str, server: MailServer, place: EditionKey, path: Path, *, ended: bool) -> Count:
    """Return what the readers have."""
    bodies = [server.bodies(reader) for reader in READERS]
    engine = open_digests(load_settings_file(path).store.url)
    rows = read(engine, outbox.deliveries_of, place)
    engine.dispose()
    return Count(
        name=name,
        ended=ended,
        copies=tuple(len(each) for each in bodies),
        one_id=all(len({message_id(body) for body in each}) <= 1 for each in bodies),
        settled=[row.state for row in rows] == [SENT] * len(READERS),
    )


def message_id(body: bytes) -> bytes:
    """Return the Message-ID of a mail."""
    return next(line for line in body.split(b"\r\n") if line.lower().startswith(b"message-id:"))


def kill_at_step(folder: Path, step: str, number: int, server: MailServer) -> Count:
    """Have the server kill `watcher digest --send` at a step of its `number`th time, and send what is left."""
    path = write_settings(folder, server)
    command = [sys.executable, "-m", "watcher", "digest", "--send", "--config", str(path)]
    process: list[subprocess.Popen[bytes]] = []
    left = number

    def kill() -> bool:
        nonlocal left
        left -= 1
        if left == 0:
            process[0].send_signal(signal.SIGKILL)
            process[0].wait()
        return left == 0

    server.at = {step: kill}
    process.append(subprocess.Popen(command, **QUIET))
    code = process[0].wait()
    server.at = {}
    make_and_send_to_end(path)
    today = EditionKey(digest="world", local_date=datetime.now(UTC).date())
    return count(f"{step} of mail {number}", server, today, path, ended=code == -signal.SIGKILL)


def make_and_send(path: Path) -> int:
    """Do as `watcher digest --send` without its output, and return its exit code."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return run_command_line(["digest", "--send", "--config", str(path)])


def make_and_send_to_end(path: Path) -> None:
    """Send an edition without articles: the command ends with 3, or with 0 where it was made before."""
    code = make_and_send(path)
    if code not in (0, 3):
        raise SystemExit(f"watcher digest --send ended with {code}")


def fill(path: Path) -> None:
    """Put an edition's mails into the outbox."""
    forms = (Rendered(format="eml", name="x.eml", body=MAIL),)
    parcels = [OutboundMessage(channel="smtp", recipient=reader, forms=forms) for reader in READERS]
    engine = open_digests(load_settings_file(path).store.url)
    write(engine, outbox.enqueue, PLACE, parcels, now=datetime.now(UTC))
    engine.dispose()


def send_the_rest(path: Path, *, passes: int = 1) -> None:
    """Send what is owed, at once."""
    settings = load_settings_file(path)
    engine = open_digests(settings.store.url)
    for _ in range(passes):
        write(engine, outbox.retry_now, PLACE, now=datetime.now(UTC))
        list(OutboxWorker(engine, settings).send_due(PLACE))
    engine.dispose()


def die_at_event(number: int) -> None:
    """Have this process end with SIGKILL at its `number`th beginning or commit of a transaction in a store."""
    left = number

    def step(_connection: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "begin", step)
    event.listen(Engine, "commit", step)


def is_killed(run: Callable[[int, Path], object], number: int, path: Path) -> bool:
    """Whether `run(number, path)`, in a process of its own that calls `die_at_event`, was killed."""
    victim = PROCESSES.Process(target=run, args=(number, path))
    victim.start()
    victim.join()
    return victim.exitcode == -signal.SIGKILL


def send_until(number: int, path: Path) -> None:
    """Send what is due, up to an event in the store."""
    die_at_event(number)
    settings = load_settings_file(path)
    list(OutboxWorker(open_digests(settings.store.url), settings).send_due())


def make_and_send_until(number: int, path: Path) -> None:
    """Do as `watcher digest --send`, up to an event in the store."""
    die_at_event(number)
    make_and_send(path)


def kill_at_event(folder: Path, number: int, server: MailServer) -> Count:
    """Kill a process that sends at its `number`th beginning or commit in the store, and send what is left."""
    path = write_settings(folder, server)
    fill(path)
    killed = is_killed(send_until, number, path)
    send_the_rest(path)
    return count(f"store event {number} of sending", server, PLACE, path, ended=killed)


def after_the_dot(number: int) -> bool:
    """Whether a process that sends has sent a dot and not kept the answer at its `number`th event in the store."""
    return (number - OPENING - 1) % EVENTS + 1 in AFTER_THE_DOT


def kill_at_any_event(folder: Path, number: int, server: MailServer) -> Count:
    """Kill `watcher digest --send` at its `number`th beginning or commit in the store, and call it again."""
    path = write_settings(folder, server)
    open_digests(load_settings_file(path).store.url).dispose()
    killed = is_killed(make_and_send_until, number, path)
    make_and_send_to_end(path)
    today = EditionKey(digest="world", local_date=datetime.now(UTC).date())
    return count(f"store event {number} of all", server, today, path, ended=killed)


def break_at_step(folder: Path, step: str, what: str, server: MailServer) -> Count:
    """Have the server break at a step once, and send what is left."""
    path = write_settings(folder, server)
    fill(path)
    server.at, server.times = {step: what}, 1
    send_the_rest(path, passes=2)
    return count(f"{what} at {step}", server, PLACE, path, ended=server.times == 0)


def drill(make: Callable[[Path, MailServer], Count]) -> Count:
    """Run one drill in a folder and with a server of its own."""
    with tempfile.TemporaryDirectory() as folder, MailServer() as server:
        return make(Path(folder), server)


def all_drills() -> Iterator[tuple[Count, bool]]:
    """Yield each drill's count, and whether it was at the step where nobody can know."""
    plain = [step for step in STEPS if step not in ("STARTTLS", "EHLO again", "AUTH")]
    for step in plain:
        for number in (1,) if step in ("connect", "EHLO", "QUIT") else (1, 2):
            yield drill(lambda f, s, n=number, at=step: kill_at_step(f, at, n, s)), step in UNKNOWABLE  # type: ignore[misc]
    for kill, is_unknowable in ((kill_at_any_event, lambda number: True), (kill_at_event, after_the_dot)):
        for number in count_from(1):
            found = drill(lambda f, s, n=number, k=kill: k(f, n, s))  # type: ignore[misc]
            if not found.ended:
                break
            yield found, is_unknowable(number)
    for step in plain:
        for what in ("drop", "hang", "450 4.3.0 later"):
            if not (what.startswith("450") and step == "in DATA"):
                yield drill(lambda f, s, at=step, w=what: break_at_step(f, at, w, s)), step in UNKNOWABLE  # type: ignore[misc]


def main() -> int:
    """Run all drills; return 0 if no edition was lost, and none came twice where one can know."""
    lost = twice = wrong = drills = 0
    for found, unknowable in all_drills():
        drills += 1
        lost += sum(each == 0 for each in found.copies)
        twice += sum(each > 1 for each in found.copies)
        right = found.is_right(unknowable=unknowable) and found.ended
        wrong += not right
        print(f"{'ok   ' if right else 'WRONG'} {found.name:32} copies {found.copies}", flush=True)
    print(f"{drills} drills: {lost} lost, {twice} twice, all of them where nobody can know: {wrong == 0}")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("WATCHER_DRILL_PASSWORD", "right")
    sys.exit(main())
