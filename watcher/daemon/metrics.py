"""
The daemon's numbers, in Prometheus' text format: what it counts itself, what the store holds, what packages add.

A package adds its own by the entry point group `watcher.metrics`: "module:function", which takes a connection to the
store and the settings, and returns families.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points

from sqlalchemy import Connection

from watcher.errors import PluginError
from watcher.model import Failed, Offline, Polled
from watcher.settings.model import Settings
from watcher.work.events import Event, FeedPolled, PageFailed, PageKnown, PageStored

GROUP = "watcher.metrics"
BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Numbers of one name. `kind` is "counter" or "gauge"; `values` are (labels, number)."""

    name: str
    kind: str
    help: str
    values: tuple[tuple[Mapping[str, str], float], ...]


@dataclass(slots=True)
class Times:
    """How long something took, by upper bound in seconds."""

    buckets: list[int] = field(default_factory=lambda: [0] * len(BOUNDS_S))
    count: int = 0
    total_s: float = 0.0

    def add(self, took_s: float) -> None:
        """Count one."""
        self.count += 1
        self.total_s += took_s
        for number, bound in enumerate(BOUNDS_S):
            self.buckets[number] += took_s <= bound


class Counts:
    """What the daemon has counted since its start."""

    def __init__(self) -> None:
        self.polls: Counter[str] = Counter()
        self.pages: Counter[str] = Counter()
        self.jobs: Counter[tuple[str, str]] = Counter()
        self.entries: Counter[str] = Counter()
        self.took = Times()

    def hear(self, event: Event) -> None:
        """Count an event of the work."""
        match event:
            case FeedPolled(result=Failed()):
                self.polls["failed"] += 1
            case FeedPolled(result=Offline()):
                self.polls["offline"] += 1
            case FeedPolled(result=result):
                self.polls["ok" if isinstance(result, Polled) else "unchanged"] += 1
                self.took.add(result.took_s)
                if isinstance(result, Polled):
                    self.entries["new"] += len(result.changes.new)
                    self.entries["changed"] += len(result.changes.changed)
            case PageStored(from_feed=from_feed):
                self.pages["stored_from_feed" if from_feed else "stored"] += 1
            case PageKnown():
                self.pages["known"] += 1
            case PageFailed(final=final):
                self.pages["lost" if final else "put_off"] += 1

    def job_ended(self, name: str, outcome: str) -> None:
        """Count a run of a job: "ok", "failed" or "broken_off"."""
        self.jobs[name, outcome] += 1

    def families(self) -> Iterator[Family]:
        """Yield what was counted."""
        yield counted("watcher_polls_total", "Polls of feeds, by how they ended.", "status", self.polls)
        yield counted("watcher_entries_total", "Entries that polls brought.", "kind", self.entries)
        yield counted("watcher_pages_total", "Pages of articles, by what became of them.", "outcome", self.pages)
        runs = tuple(({"job": job, "outcome": outcome}, float(n)) for (job, outcome), n in sorted(self.jobs.items()))
        yield Family(name="watcher_job_runs_total", kind="counter", help="Runs of the daemon's jobs.", values=runs)


def counted(name: str, words: str, label: str, counts: Counter[str]) -> Family:
    """Return a counter with one label."""
    values = tuple(({label: key}, float(n)) for key, n in sorted(counts.items()))
    return Family(name=name, kind="counter", help=words, values=values)


def gauge(name: str, words: str, value: float, **labels: str) -> Family:
    """Return a number that goes up and down."""
    return Family(name=name, kind="gauge", help=words, values=((labels, value),))


def of_the_store(connection: Connection, settings: Settings) -> Iterator[Family]:
    """Yield what the store holds and what waits in it."""
    from watcher.store.articles import count_articles
    from watcher.store.health import count_words
    from watcher.store.held_open import held_open
    from watcher.store.intake import count_due
    from watcher.store.open import store_bytes
    from watcher.work.tools import system_clock

    now = system_clock()
    words = tuple(({"health": word}, float(n)) for word, n in sorted(count_words(connection).items()))
    yield Family(
        name="watcher_sources", kind="gauge", help="Sources by the health that their last poll left.", values=words
    )
    yield gauge("watcher_articles", "Articles in the store.", count_articles(connection))
    yield gauge("watcher_due", "Feeds and pages that are due, and hosts being visited.", count_due(connection, now=now))
    held = store_bytes(connection.engine)
    if held is not None:
        yield gauge("watcher_store_bytes", "Bytes of the store on the disk, its log included.", held)
    if connection.dialect.name == "postgresql":
        oldest = max(((now - each.since).total_seconds() for each in held_open(connection)), default=0.0)
        words_of_it = "Age of the oldest transaction that is open for more than five minutes on the store's server."
        yield gauge("watcher_transaction_held_open_seconds", words_of_it, oldest)
    for make in plugged_in():
        yield from make(connection, settings)


def plugged_in() -> tuple[Callable[[Connection, Settings], Iterable[Family]], ...]:
    """Return the functions of installed packages. Errors: PluginError."""
    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            found.append(point.load())
        except (ImportError, AttributeError) as error:
            raise PluginError(f"the metrics of {point.value} cannot be loaded: {error}") from error
    return tuple(found)


def page(families: Iterable[Family], took: Times) -> str:
    """Return the page that Prometheus reads (text format 0.0.4)."""
    lines: list[str] = []
    for family in families:
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        lines += [f"{family.name}{shown(labels)} {value:.10g}" for labels, value in family.values]
    name = "watcher_poll_seconds"
    lines += [f"# HELP {name} Time that feeds took to answer.", f"# TYPE {name} histogram"]
    bounds = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
    for bound, count in zip(bounds, [*took.buckets, took.count], strict=True):
        lines.append(f'{name}_bucket{{le="{bound}"}} {count}')
    lines += [f"{name}_sum {took.total_s:.10g}", f"{name}_count {took.count}"]
    return "\n".join(lines) + "\n"


def shown(labels: Mapping[str, str]) -> str:
    """Return labels as the format writes them."""
    if not labels:
        return ""
    pairs = (f'{name}="{escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def escaped(value: str) -> str:
    """Return a label's value with what would end it escaped."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
