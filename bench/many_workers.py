"""
Many processes on one store on PostgreSQL: whether hosts are asked politely, and nothing is lost or doubled, while
processes are killed.

    python -m bench.many_workers --hosts 500 --seconds 300                          # manners
    python -m bench.many_workers --hosts 5000 --seconds 600 --restart --editions    # the drill
    python -m bench.many_workers --scale 1 2 4                                      # visits a second

Everything it needs is made here: a server of PostgreSQL, hosts on loopback that answer after a while and write down
who asks when, a mail server, a daemon, and helpers (`watcher work`). A process that does not matter is killed every few
seconds and started again; `--restart` kills the database, too, once. Then all may finish. At the end the hosts' own log
says whether one was ever asked twice at a time or without its pause; the store, how long the hosts of a killed process
were held, and whether each entry is there, once. As root, each process believes to be on a machine of its own. Exits
with 1 if something of that does not hold. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

from aiosmtpd.controller import Controller
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from bench.kill_drill import Mailbox, free_port
from tests.postgres import Server, programs, start
from watcher.daemon.services import SPREAD_S
from watcher.store.engine import with_driver

HERE = Path(__file__).parent
PAUSE_S = 1.0  # between two requests to a host
SLACK_S = 0.05  # of two clocks of one machine
READERS = ("ann@example.net", "bob@example.net")
LONGEST_S = 120.0
LEASES = text("SELECT count(*) FROM hosts WHERE lease_by = :worker")
ROWS = {
    "articles": "SELECT count(*) FROM articles",
    "different": "SELECT count(DISTINCT url) FROM articles",
    "texts": "SELECT count(*) FROM texts",
    "editions": "SELECT count(*) FROM editions WHERE made_at IS NOT NULL",
    "dates": "SELECT count(*) FROM (SELECT DISTINCT digest, local_date FROM editions WHERE made_at IS NOT NULL) AS d",
}


@dataclass(slots=True, kw_only=True)
class World:
    """The folder, the database, the hosts, and the processes at work."""

    folder: Path
    server: Server
    url: str
    hosts: subprocess.Popen[str]
    settings: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    kills: list[float] = field(default_factory=list)
    started: int = 0
    names: dict[str, str] = field(default_factory=dict)  # of the machine of each process
    watching: list[threading.Thread] = field(default_factory=list)
    taken_again: list[float] = field(default_factory=list)  # seconds, of each kill

    def launch(self, name: str) -> None:
        """Start a process: "run…" is a daemon, another one a helper."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.started += 1
            inside = ["unshare", "--uts", "sh", "-c", f'hostname machine{self.started}; exec "$@"', "sh"]
            command = inside if os.geteuid() == 0 else []  # each on a machine of its own, as far as it can tell
            command += [sys.executable, "-m", "watcher", "run" if name.startswith("run") else "work"]
            command += ["--config", str(self.settings)]
            self.names[name] = f"machine{self.started}" if os.geteuid() == 0 else socket.gethostname()
            self.processes[name] = subprocess.Popen(command, stderr=log, start_new_session=True)

    def kill(self, name: str) -> None:
        """Kill a process as a machine that goes down does."""
        self.kills.append(time.time())
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()
        worker = f"{self.names[name]}:{self.processes[name].pid}"
        watching = threading.Thread(target=self.watch_leases, args=(worker, time.monotonic()), daemon=True)
        watching.start()
        self.watching.append(watching)

    def watch_leases(self, worker: str, since: float) -> None:
        """Note how long it takes until others have taken up all hosts of a dead worker."""
        held, engine = True, create_engine(with_driver(make(self.url)))
        first = -1
        while held and time.monotonic() - since < LONGEST_S:
            try:
                with engine.connect() as connection:
                    held = connection.execute(LEASES, {"worker": worker}).scalar_one()
            except DBAPIError:
                continue  # the database is being killed, too
            first = held if first < 0 else first
            time.sleep(0.5)
        engine.dispose()
        if first:
            self.taken_again.append(time.monotonic() - since)

    def end(self) -> list[int]:
        """Stop all in order; return their exit codes."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        return [process.wait(30) for process in self.processes.values()]

    def look(self) -> dict[str, int]:
        """Return what the store holds."""
        engine = create_engine(with_driver(make(self.url)))
        try:
            with engine.connect() as connection:
                return {name: connection.execute(text(query)).scalar_one() for name, query in ROWS.items()}
        finally:
            engine.dispose()

    def asked(self) -> dict[str, list[tuple[float, float]]]:
        """End the hosts, and return when each was asked: from, to."""
        self.hosts.send_signal(signal.SIGTERM)
        self.hosts.wait()
        found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for line in (self.folder / "asked").read_text().splitlines():
            host, began, ended = line.split()
            found[host].append((float(began), float(ended)))
        return {host: sorted(times) for host, times in found.items()}


def make(url: str):  # noqa: ANN201 - SQLAlchemy's own
    """Return the address of a store, parsed."""
    from sqlalchemy import make_url

    return make_url(url)


def settings(given: argparse.Namespace, url: str, port: int, smtp: int, digests: int) -> str:
    """Return the settings of all processes."""
    now = datetime.now(UTC)
    parts = [f'[store]\nurl = "{url}"\n[work]\nqueue = "pgqueuer"\n[semantic]\nembedder = "none"\n[web]\nlisten = ""']
    parts.append(f'[poll]\nevery = "{given.every}s"\nmin_every = "{given.every}s"\nconcurrency = {given.room}')
    parts.append('[log]\nlevel = "warning"\n[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_delay = "1s"')
    parts.append(f'[smtp]\nhost = "127.0.0.1"\nport = {smtp}\nsecurity = "plain"')
    for n in range(given.hosts):
        parts.append(f'[[sources]]\nurl = "http://{address(n)}:{port}/feed.xml"\nfull_text = true')
    for n in range(digests):
        at = now + timedelta(minutes=3, seconds=given.seconds * n / digests)  # all are known by then
        to = json.dumps(READERS)
        parts.append(
            f'[[digests]]\nname = "d{n}"\nat = "{at:%H:%M}"\nformats = ["text", "eml"]\nwindow = "10m"\n'
            f'mail = {{ from = "w@example.org" }}\ndeliver = [{{ channel = "smtp", to = {to} }}]'
        )
    return "\n".join(parts) + "\n"


def address(number: int) -> str:
    """Return the address of a host."""
    return f"127.20.{number // 250}.{number % 250 + 1}"


def world(given: argparse.Namespace, folder: Path, smtp: int, digests: int = 0) -> World:
    """Put everything up, but no process yet."""
    found = programs()
    assert found is not None, "PostgreSQL 15 or later is needed"
    server = start(found)
    server.run("ALTER SYSTEM SET synchronous_commit = on")  # what was committed outlives a kill of the database
    server.run("SELECT pg_reload_conf()")
    url, port = server.fresh(), free_port()
    command = [sys.executable, str(HERE / "slow_hosts.py"), "--port", str(port), "--log", str(folder / "asked")]
    command += ["--answer", str(given.answer), "--news", str(given.news)]
    hosts = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert hosts.stdout is not None
    hosts.stdout.readline()
    path = folder / "settings.toml"
    path.write_text(settings(given, url, port, smtp, digests), encoding="utf-8")
    return World(folder=folder, server=server, url=url, hosts=hosts, settings=path)


def drill(given: argparse.Namespace, folder: Path) -> bool:
    """Kill processes for a while, let all finish, and say what became of it."""
    chance, mailbox, smtp = random.Random(given.seed), Mailbox(given.seed), free_port()
    Controller(mailbox, hostname="127.0.0.1", port=smtp).start()
    digests = max(int(given.seconds / 120), 1) if given.editions else 0
    here = world(given, folder, smtp, digests)
    names = [f"run{n}" for n in range(2 if given.editions else 1)]
    names += [f"work{n}" for n in range(given.workers - len(names))]
    for name in names:
        here.launch(name)
    until, restart_at = time.monotonic() + given.seconds, given.seconds / 2
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, chance.uniform(0.5, 1.5) * given.kill_every))
        name = chance.choice(names)
        here.kill(name)
        here.launch(name)
        if given.restart and left < restart_at:
            restart_at = -1.0
            restart(here)
    print(
        f"{len(here.kills)} kills{' and one of the database' if given.restart else ''}; now all may finish", flush=True
    )
    (folder / "stop-news").touch()
    time.sleep(given.every + 50)
    found = wait_for(here, digests)
    codes = here.end()
    print(f"{found}; the processes ended with {codes}")
    held = judge(given, here, found, digests, mailbox)
    here.server.end()
    return held and not any(codes)


def restart(here: World) -> None:
    """Kill the database and start it again."""
    data = Path(here.server.url.partition("host=")[2]) / "data"
    program = programs()
    assert program is not None
    owner = data.stat()
    for act in (["stop", "-m", "immediate"], ["start", "-w", "-l", str(data.parent / "log")]):
        subprocess.run(
            [program / "pg_ctl", "-D", data, "-s", *act], check=True, user=owner.st_uid, group=owner.st_gid, cwd="/",
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(2)


def wait_for(here: World, digests: int, limit_s: float = 900.0) -> dict[str, int]:
    """Wait until the store no longer changes and each edition is made; return what it holds."""
    before, until = here.look(), time.monotonic() + limit_s
    while time.monotonic() < until:
        time.sleep(10)
        now = here.look()
        if now == before and now["editions"] >= digests:
            return now
        before = now
    return before


def judge(given: argparse.Namespace, here: World, found: dict[str, int], digests: int, mailbox: Mailbox) -> bool:
    """Print what became of hosts, entries, editions and mails; return whether it is as it should be."""
    asked = here.asked()
    expected = given.hosts * json.loads((here.folder / "asked.news").read_text())
    together = sum(b[0] < a[1] for times in asked.values() for a, b in pairwise(times))
    gaps = [b[0] - a[1] for times in asked.values() for a, b in pairwise(times)]
    early = sum(gap < PAUSE_S - SLACK_S for gap in gaps)
    waits = sorted(here.taken_again)
    total = sum(map(len, asked.values()))
    print(f"{total} requests to {len(asked)} hosts: {together} at a time with another, {early} early")
    print(f"shortest pause {min(gaps):.2f} s; {expected} entries expected, {found['articles']} articles")
    if len(waits) > 1:
        print(f"the hosts of {len(waits)} processes that were killed had been taken again after {words(waits)}")
    mails = Counter((to, kind) for to, _, kind in mailbox.taken)
    again = sum(count - 1 for count in mails.values())
    if digests:
        print(f"editions {found['editions']} of {digests}; mails {len(mails)} of {2 * digests}, {again} of them twice")
    whole = found["articles"] == found["different"] == found["texts"] == expected
    once = found["editions"] == found["dates"] == digests and len(mails) == 2 * digests
    return not together and not early and whole and once and (not waits or waits[-1] <= 40)


def words(values: list[float]) -> str:
    """Return the median and the most of some seconds."""
    return f"{quantiles(values, n=2)[0]:.1f} s in the median, {values[-1]:.1f} s at most"


def cores() -> tuple[int, int]:
    """Return the ticks that the cores of this machine were busy since its start, and all there were."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def scale(given: argparse.Namespace) -> None:
    """Print how many visits a second some numbers of processes make."""
    first = 0.0
    for count in given.scale:
        with tempfile.TemporaryDirectory() as scratch:
            here = world(given, Path(scratch), free_port())
            here.launch("run0")
            for n in range(count - 1):
                here.launch(f"work{n}")
            time.sleep(given.seconds / 2)
            before = cores()
            time.sleep(given.seconds / 2)
            busy, all_of_it = (now - then for now, then in zip(cores(), before, strict=True))
            here.end()
            asked = here.asked()
            here.server.end()
        times = sorted(end for some in asked.values() for _, end in some)
        since = times[0] + 10.0 + SPREAD_S * given.hosts  # all are at work by then, and all sources have begun
        rate = sum(since <= end <= times[-1] - 5 for end in times) / (times[-1] - 5 - since)
        first = first or rate
        print(
            f"{count} processes, {given.room} hosts at a time each: {rate:.0f} visits/s, {rate / first:.2f} times; "
            f"the cores of this machine {100 * busy / all_of_it:.0f} % busy",
            flush=True,
        )


def main() -> int:
    """Run it; return 0 if all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--workers", type=int, default=4, help="processes, one or two of them daemons")
    parser.add_argument("--room", type=int, default=64, help="hosts that each visits at a time")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--kill-every", type=float, default=4.0)
    parser.add_argument("--every", type=int, default=10, help="seconds between two polls of a feed")
    parser.add_argument("--answer", type=float, default=0.2, help="seconds until a host answers")
    parser.add_argument("--news", type=float, default=60.0, help="seconds until a feed has an entry more")
    parser.add_argument("--restart", action="store_true", help="kill the database once")
    parser.add_argument("--editions", action="store_true", help="an edition every two minutes, to two readers")
    parser.add_argument("--scale", type=int, nargs="+", help="print visits a second of so many processes instead")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for settings and logs, else one that is removed")
    given = parser.parse_args()
    if given.scale:
        scale(given)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if drill(given, folder) else 1


if __name__ == "__main__":
    sys.exit(main())
