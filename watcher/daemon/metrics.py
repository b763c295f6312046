"""The daemon's metrics for Prometheus: its own counters, metrics of the store, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from watcher.model import PollSucceeded, PollUnchanged
from watcher.plugins import load_plugins
from watcher.settings.models import Settings
from watcher.store.articles import count_articles
from watcher.store.polls import count_by_health
from watcher.store.stats import count_due, store_bytes
from watcher.worker.context import Event, FeedPolled, NetworkChanged, PageDone, system_clock

# Entry points: a function of a connection and the settings that returns metrics.
METRIC_ENTRY_POINTS = "watcher.metrics"
BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# Else each counter has a second series, with the time of its creation.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Counters:
    def __init__(self) -> None:
        """Register the metrics that are counted while the daemon runs."""
        self.registry = registry = CollectorRegistry()
        self._polls = Counter("watcher_polls_total", "Polls of feeds, by result.", ["status"], registry=registry)
        self._entries = Counter("watcher_entries_total", "Entries found by polls.", ["kind"], registry=registry)
        self._pages = Counter("watcher_pages_total", "Pages of articles, by result.", ["outcome"], registry=registry)
        self._jobs = Counter(
            "watcher_job_runs_total", "Runs of the daemon's jobs.", ["job", "outcome"], registry=registry
        )
        self._took = Histogram("watcher_poll_seconds", "Response times of feeds.", buckets=BOUNDS_S, registry=registry)

    def count_event(self, event: Event) -> None:
        """Count an event of a visit."""
        match event:
            case FeedPolled(result=result):
                self._polls.labels(result.status).inc()
                if isinstance(result, PollSucceeded | PollUnchanged):
                    self._took.observe(result.took_s)
                if isinstance(result, PollSucceeded):
                    self._entries.labels("new").inc(len(result.changes.new))
                    self._entries.labels("changed").inc(len(result.changes.changed))
            case NetworkChanged() | PageDone(outcome="same" | "changed" | "gone"):
                pass
            case PageDone(outcome=outcome):
                self._pages.labels(outcome).inc()

    def count_job(self, name: str, outcome: str) -> None:
        """Count a run of a job: "ok", "failed" or "broken_off"."""
        self._jobs.labels(name, outcome).inc()


class MetricsCollector(Collector):
    def __init__(self, find: Callable[[], Iterable[Metric]]) -> None:
        self._find = find

    def collect(self) -> Iterable[Metric]:
        return self._find()


def store_metrics(connection: Connection, settings: Settings) -> tuple[Metric, ...]:
    """Return the metrics of the store. Errors: PluginError."""
    healths = sorted(count_by_health(connection).items())
    due, size = count_due(connection, now=system_clock()), store_bytes(connection.engine)
    metrics: list[Metric] = [
        labelled_gauge("watcher_sources", "Sources by their health after the last poll.", "health", healths),
        GaugeMetricFamily("watcher_articles", "Articles in the store.", count_articles(connection)),
        GaugeMetricFamily("watcher_due", "Feeds and pages that are due, and hosts being visited.", due),
        GaugeMetricFamily("watcher_store_bytes", "Bytes of the store on disk, including its log.", size),
    ]
    for _, make in load_plugins(METRIC_ENTRY_POINTS, "the metrics of"):
        metrics.extend(make(connection, settings))
    return tuple(metrics)


def labelled_gauge(name: str, words: str, label: str, values: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values:
        gauge.add_metric([key], value)
    return gauge
