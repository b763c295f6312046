"""`watcher status`: shows daemon, store, pending work and sources by health; or all about one source."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby, zip_longest
from operator import attrgetter
from typing import Annotated, Any

from sqlalchemy import Engine
from typer import Argument, Option

from watcher.cli.check import describe_unknown_countries
from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, closing_store, load_settings
from watcher.cli.output import (
    Row,
    StatusSection,
    format_bytes,
    format_minute,
    format_rows,
    print_err,
    print_result,
)
from watcher.cli.sources import find_source
from watcher.cli.status_source import PAUSED, SourceStatus, describe_health, print_source, source_status
from watcher.errors import MACHINE_HINTS, SettingsError, StoreError
from watcher.failure_messages import Reason
from watcher.features.embedders import embedder_config
from watcher.feeds.health import severity
from watcher.net.address_guard import describe_refused_places
from watcher.plugins import load_plugins
from watcher.settings.models import Settings
from watcher.store.articles import count_articles, count_fallback_reasons
from watcher.store.daemon_lock import DaemonStatus, list_daemon_statuses
from watcher.store.engine import connect, open_store, redacted_url
from watcher.store.features import count_features, has_old_version, lacks_vector, recorded_embedder
from watcher.store.feeds import SETTINGS_FILE, feed_states
from watcher.store.outages import load_polling_stop, network_down_since
from watcher.store.pages import count_due_pages, failed_page_counts, newest_failed_pages
from watcher.store.sql import load_meta
from watcher.store.stats import count_due, store_bytes
from watcher.store.writer import read
from watcher.text.format import format_count, format_duration
from watcher.text.plain_text import to_one_line
from watcher.text.urls import hide_secrets

SECTIONS_GROUP = "watcher.status"  # entry points: a function of the settings that yields `StatusSection`s
STATUS_LABEL_CHARS = 8  # width of the labels
INDENT = " " * 13  # of the lines below a source in the list
SOURCES_SHOWN = 10  # unhealthy sources, each with its hint
REASONS_SHOWN = 3  # reasons why pages gave no article
OTHERS_SHOWN = 5  # other processes with faults
PAGES_LISTED = 20  # of those without an article, with --all
JOBS_SHOWN = 6  # jobs that run in more than a minute
NAME_CHARS, REASON_CHARS, TROUBLE_CHARS = 60, 200, 300
WATCH_S = 5.0
CLEAR_SCREEN = "\x1b[H\x1b[J"
SILENT_AFTER = timedelta(minutes=2)  # without heartbeat; one is due every 10 s, and waits up to 15 s for the store
SOON = timedelta(minutes=1)
JUMP_SHOWN_FOR = timedelta(days=1)
NOT_RUNNING = "not running; watcher run starts it"
UNKNOWN_STATUS = "unknown: the store, which has its status, cannot be read"


def show_status(
    source: Annotated[str, Argument(metavar="[NAME|URL]", help="One source in detail: health, history, polls.")] = "",
    everything: Annotated[bool, Option("--all", help="List every source, and the daemon's jobs.")] = False,
    watch: Annotated[bool, Option("--watch", help="Refresh every five seconds, until Ctrl-C.")] = False,
    alive: Annotated[bool, Option("--alive", help="Only check that a daemon is running: exit code 1 if not.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Show whether a daemon is running, the health of the sources (worst first), and what the store holds.

    With a name or URL, show that source in detail. With `--alive`, for health checks, the exit code is 1
    if no daemon is running, if the daemon has not written to the store for two minutes, or if a store on PostgreSQL,
    which has the daemon's status, cannot be reached.
    """
    settings = load_settings(config)
    if alive:
        with closing_store(connect(settings.store.url)) as engine:
            try:
                daemon, others = _list_daemons(engine)
            except StoreError as error:
                values = {"state": "unknown", "error": str(error), "hint": error.hint}
                rows = format_rows((("daemon", UNKNOWN_STATUS), *_error_rows(error)), width=STATUS_LABEL_CHARS)
                print_result(values, rows, json=json)
                return FAILED
        now = datetime.now(UTC)
        lines = format_rows(_daemon_rows(daemon, others, now=now), width=STATUS_LABEL_CHARS)
        print_result(_daemon_to_json(daemon, others, now=now), lines, json=json)
        return DONE if process_state(daemon, now) == "running" else FAILED
    fault = ""
    while True:
        if watch and not json and sys.stdout.isatty():
            sys.stdout.write(CLEAR_SCREEN)
        code = _print_once(settings, source, everything=everything, json=json)
        if fault:
            print_err(f"{fault}; the status is shown for the last valid settings", label="warning")
        if not watch or code != DONE:
            return code
        sys.stdout.flush()
        time.sleep(WATCH_S)
        try:
            settings, fault = load_settings(config), ""
        except SettingsError as error:
            fault = str(error)


def _print_once(settings: Settings, source: str, *, everything: bool, json: bool) -> int:
    """Print the status, or that of one source, and return the exit code. Errors: SettingsError for the source."""
    row = settings.sources[find_source(settings, source)] if source else None
    try:
        store = open_store(settings.store.url, create=False)
    except StoreError as error:
        return _print_store_error(settings.store.url, error, json=json)
    with closing_store(store) as engine:
        if row:
            print_source(engine, row, json=json)
        else:
            _print_status(settings, engine, everything=everything, json=json)
    return DONE


def _print_store_error(url: str, error: StoreError, *, json: bool) -> int:
    """Print that the store cannot be read, with what is known about the daemon; return the exit code."""
    now = datetime.now(UTC)
    with closing_store(connect(url)) as engine:
        values: dict[str, Any] = {"store": redacted_url(engine), "error": str(error), "hint": error.hint}
        try:
            processes = _list_daemons(engine)
            values["daemon"], rows = _daemon_to_json(*processes, now=now), [*_daemon_rows(*processes, now=now)]
        except StoreError:
            values["daemon"], rows = {"state": "unknown"}, [("daemon", UNKNOWN_STATUS)]
    print_result(values, format_rows((*rows, *_error_rows(error)), width=STATUS_LABEL_CHARS), json=json)
    return FAILED


def _error_rows(error: StoreError) -> Iterator[Row]:
    yield "store", str(error)
    if error.hint:
        yield "", f"try: {error.hint}"


def _print_status(settings: Settings, engine: Engine, *, everything: bool, json: bool) -> None:
    """Print the whole status: daemon, store, sources, pages without an article, and the parts of plug-ins."""
    now, processes = datetime.now(UTC), _list_daemons(engine)
    sources = list_sources(settings, engine, now=now)
    lost = read(engine, failed_page_counts)
    most = None if everything else REASONS_SHOWN
    lost_pages = read(engine, newest_failed_pages, limit=most or PAGES_LISTED)
    retried_pages = read(engine, newest_failed_pages, limit=most or PAGES_LISTED, given_up=False)
    replaced, bare = (read(engine, count_fallback_reasons, headlines=headlines) for headlines in (False, True))
    values = {
        "daemon": _daemon_to_json(*processes, now=now),
        **_collect_store(settings, engine, now=now),
        "pages_without_article": [{"reason": str(reason), "pages": count} for reason, count in lost],
        "newest_pages_without_article": [{"url": url, "reason": str(reason)} for url, reason in lost_pages],
        "newest_pages_to_try_again": [{"url": url, "reason": str(reason)} for url, reason in retried_pages],
        "pages_replaced_by_feed": [{"reason": str(reason), "pages": count} for reason, count in replaced],
        "headlines_without_text": [{"reason": str(reason), "pages": count} for reason, count in bare],
        "sources": [row.to_json() for row in sources],
    }
    values["due"] += sum(row.state.feed.id == 0 and not row.is_paused for row in sources)  # new: not in the store yet
    functions = load_plugins(SECTIONS_GROUP, "the part of the status of")
    sections: list[StatusSection] = [section for _, sections_of in functions for section in sections_of(settings)]
    rows = (
        *_daemon_rows(*processes, now=now, everything=everything),
        *_store_rows(values),
        *_source_counts(sources, settings),
    )
    lines = chain(
        format_rows(rows, width=STATUS_LABEL_CHARS),
        _format_sources(sources, everything=everything),
        _format_reasons("pages without an article", lost, limit=most),
        _format_pages("  the newest of them", lost_pages),
        _format_pages("pages that failed, to try again later", retried_pages),
        _format_reasons("pages replaced by the feed's own text", replaced, limit=most),
        _format_reasons("pages of which only the headline is known", bare, limit=most),
        format_rows((row for section in sections for row in section.rows), width=STATUS_LABEL_CHARS),
    )
    print_result(values | {section.name: section.found for section in sections}, lines, json=json)


def list_sources(settings: Settings, engine: Engine, *, now: datetime) -> list[SourceStatus]:
    """Return the sources of the settings, worst health first, paused ones last."""
    states = {state.feed.source.url: state for state in read(engine, feed_states, disabled=True)}
    rows = [source_status(row, states.get(row.url), now=now) for row in settings.sources]
    return sorted(rows, key=lambda row: (row.is_paused, severity(row.health.status), row.source.name))


def _collect_store(settings: Settings, engine: Engine, *, now: datetime) -> dict[str, Any]:
    """Return the size and the pending work of the store, as in JSON. Errors: StoreError."""
    choice, recorded = embedder_config(settings.semantic), read(engine, recorded_embedder)
    used = recorded if recorded is not None and choice is not None and recorded.setting == choice.store_key else None
    name = used.name if used else None
    return {
        "settings": settings.path and settings.path.resolve(),
        "store": redacted_url(engine),
        "last_served": read(engine, load_meta, SETTINGS_FILE),
        "store_bytes": store_bytes(engine),
        "network_down_since": read(engine, network_down_since),
        "polling_stop": read(engine, load_polling_stop),
        "articles": read(engine, count_articles),
        "due": read(engine, count_due, now=now),
        "pages_waiting": read(engine, count_due_pages, now=now),
        "features": {
            "embedder": choice.setting if choice else "none",
            "model": name,
            "without_vector": read(engine, count_features, lacks_vector(name)) if choice else 0,
            "trouble": used.trouble if used else None,
            "outdated": read(engine, count_features, has_old_version()),
        },
    }


def _list_daemons(engine: Engine) -> tuple[DaemonStatus | None, list[DaemonStatus]]:
    """
    Return the daemon, None if none is recorded, and the other running processes; of several daemons, the first.

    Errors: as `list_daemon_statuses`.
    """
    marks = list_daemon_statuses(engine)
    daemon = next((mark for mark in marks if not mark.is_worker), None)
    return daemon, [mark for mark in marks if mark.is_running and mark is not daemon]


def process_state(mark: DaemonStatus | None, now: datetime) -> str:
    """Return "none", "running", "silent" (no heartbeat), "stopped" or "gone" (ended unexpectedly)."""
    if mark is None:
        return "none"
    if mark.is_running:
        return "running" if abs(now - mark.heartbeat_at) <= SILENT_AFTER else "silent"
    return "stopped" if mark.stopped_at else "gone"


def _daemon_to_json(
    daemon: DaemonStatus | None, others: Sequence[DaemonStatus], *, now: datetime
) -> dict[str, object] | None:
    """Return the daemon with the `others`, None if there is no process; if only `watcher work` runs, it is "none"."""
    if daemon is None and not others:
        return None
    return {
        "state": process_state(daemon, now),
        "helper": daemon is not None and daemon.is_worker,
        **{name: getattr(daemon, name, None) for name in ("pid", "started_at", "stopped_at", "clock_jump")},
        "machine": (daemon and daemon.machine) or None,
        "heartbeat_at": daemon and daemon.heartbeat_at,
        "jobs": daemon.jobs if daemon else (),
        "faults": daemon.faults if daemon else (),
        "others": [_daemon_to_json(other, (), now=now) for other in others],
    }


def _store_rows(values: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows on the store and what waits in it; `values` is the status for JSON."""
    size = f" in {format_bytes(values['store_bytes'])}" if values["store_bytes"] else ""
    waiting = f"{format_count(values['pages_waiting'], 'page')} to fetch, feeds and pages due: {values['due']:,}"
    yield "store", f"{values['store']}: {format_count(values['articles'], 'article')}{size}, {waiting}"
    if values["last_served"] not in (None, str(values["settings"])):
        yield "", f"it was last used with other settings: {values['last_served']}"
    if values["network_down_since"]:
        since, daemon = format_minute(values["network_down_since"]), values["daemon"]
        if daemon and daemon["state"] == "running":
            yield "network", f"no internet connection since {since}: nothing is polled until it is back"
        else:
            yield "network", f"no internet connection at the last poll, since {since}: watcher poll tries again"
    if stop := values["polling_stop"]:
        yield "polling", f"stopped since {format_minute(stop.since)}: {to_one_line(str(stop.reason), REASON_CHARS)}"
        yield "", f"try: {MACHINE_HINTS[stop.reason.kind]}"
    backlog = values["features"]
    if backlog["without_vector"]:
        # The name of a model that comes with Watcher is its version; an endpoint's model has a name of its own.
        name = to_one_line(backlog["model"] or "endpoint", 100) if backlog["embedder"] == "endpoint" else ""
        name = name or f"embedder {backlog['embedder']}"
        waiting = f"{format_count(backlog['without_vector'], 'article')} not embedded yet ({name})"
        yield "vectors", f"{waiting}; a running daemon does this in the background"
    if backlog["trouble"]:
        yield "", f"articles cannot be embedded: {to_one_line(backlog['trouble'], TROUBLE_CHARS)}"
    if count := backlog["outdated"]:
        yield "features", f"{format_count(count, 'article')} with outdated features; a running daemon updates them"


def _source_counts(sources: Sequence[SourceStatus], settings: Settings) -> Iterator[Row]:
    """Yield the rows with the number of sources by health, and the paused ones."""
    counts = Counter(row.health.status for row in sources)
    words = ", ".join(f"{count} {health}" for health, count in counts.items())
    yield "sources", f"{len(sources)}: {words}" if words else "0"
    active = settings.active_sources()
    if refused := describe_refused_places([source.url for source in active], settings.fetch.allow_private):
        yield "", refused
    # Who gives no source a country does without them; `watcher check` says what for.
    if any(source.country for source in active) and (unplaced := describe_unknown_countries(settings)):
        yield "", f"{unplaced}: watcher check"
    if paused := [to_one_line(row.source.name, NAME_CHARS) for row in sources if row.is_paused]:
        more = f" and {len(paused) - SOURCES_SHOWN} more" if len(paused) > SOURCES_SHOWN else ""
        yield PAUSED, f"{', '.join(paused[:SOURCES_SHOWN])}{more}"


def _format_sources(sources: Sequence[SourceStatus], *, everything: bool) -> Iterator[str]:
    """Yield the lines on the sources, by default only on some that are not well."""
    shown = sources if everything else _pick_unhealthy(sources, limit=SOURCES_SHOWN)
    for row in shown:
        yield from _format_source_row(row, everything=everything)
    unwell = sum(_is_unwell(row) for row in sources)
    if not everything and unwell:
        more = f"and {unwell - len(shown)} more: watcher status --all; " if unwell > len(shown) else ""
        yield f"  {more}watcher status NAME shows one in detail"


def _format_source_row(row: SourceStatus, *, everything: bool) -> Iterator[str]:
    """Yield the lines on one source: its health and hint; with `everything`, its address and problems."""
    health, name = row.health, to_one_line(row.source.name, NAME_CHARS)
    parts = (to_one_line(describe_health(health), REASON_CHARS), format_count(row.state.articles, "article"))
    yield f"  {health.status:10} {name}: {'; '.join(filter(None, parts))}"
    if health.hint:
        yield f"{INDENT}try: {to_one_line(health.hint, REASON_CHARS)}"
    if everything:
        yield f"{INDENT}{to_one_line(hide_secrets(row.source.url), REASON_CHARS * 2)}"
        for fault in row.state.faults:
            yield f"{INDENT}problem: {to_one_line(str(fault), REASON_CHARS)}"


def _pick_unhealthy(rows: Sequence[SourceStatus], *, limit: int) -> list[SourceStatus]:
    """Return up to `limit` unhealthy sources of sorted `rows`, from each health in turn, so that none hides another."""
    unwell = [row for row in rows if _is_unwell(row)]
    by_health = [list(alike) for _, alike in groupby(unwell, key=attrgetter("health.status"))]
    in_turn = [row.source.url for turn in zip_longest(*by_health) for row in turn if row is not None]
    return [row for row in unwell if row.source.url in in_turn[:limit]]


def _is_unwell(row: SourceStatus) -> bool:
    return row.health.status not in ("ok", "new", PAUSED)


def _format_reasons(heading: str, reasons: Sequence[tuple[Reason, int]], *, limit: int | None) -> Iterator[str]:
    """Yield the heading and the first `limit` reasons (None: all) with their numbers of pages; nothing without any."""
    if reasons:
        yield heading
    for reason, pages in reasons[:limit]:
        yield f"  {pages:5} {to_one_line(str(reason), REASON_CHARS)}"
    if rest := reasons[limit:] if limit else ():
        yield f"  {sum(pages for _, pages in rest):5} for {len(rest)} other reasons: watcher status --all"


def _format_pages(heading: str, pages: Sequence[tuple[str, Reason]]) -> Iterator[str]:
    """Yield a heading and the newest of some pages, each with its reason; nothing without any."""
    if pages:
        yield heading
    for url, reason in pages:
        yield f"    {to_one_line(hide_secrets(url), REASON_CHARS)}: {to_one_line(str(reason), REASON_CHARS)}"


def _daemon_rows(
    daemon: DaemonStatus | None, others: Sequence[DaemonStatus], *, now: datetime, everything: bool = False
) -> Iterator[Row]:
    """Yield the rows of this daemon, of up to `OTHERS_SHOWN` others that are unwell, and how many others there are."""
    yield from _process_rows(daemon, now, everything=everything)
    unwell = [other for other in others if process_state(other, now) != "running" or other.faults]
    for other in unwell[:OTHERS_SHOWN]:
        yield from _process_rows(other, now, everything=everything)
    helpers = sum(other.is_worker for other in others)
    counts = ((len(others) - helpers, "daemon"), (helpers, "worker"))
    if others:
        yield "", f"also on this store: {' and '.join(format_count(n, noun) for n, noun in counts if n)}"


def _process_rows(process: DaemonStatus | None, now: datetime, *, everything: bool) -> Iterator[Row]:
    """Yield the rows of a process; its jobs are for who looks for a fault, with `everything`."""
    if process is None:
        yield "daemon", NOT_RUNNING
        return
    label = "worker" if process.is_worker else "daemon"
    machine = f"on {to_one_line(process.machine, NAME_CHARS)}" if process.machine else ""
    heartbeat, state = format_minute(process.heartbeat_at), process_state(process, now)
    match state:
        case "running":
            yield label, f"running since {format_minute(process.started_at)}, process {process.pid} {machine}".rstrip()
        case "silent":
            yield label, f"{f'process {process.pid} {machine}'.rstrip()} has sent no heartbeat since {heartbeat}"
            there = f"{machine}, " if machine else ""
            yield "", f"try: {there}kill -KILL {process.pid}, then start it again; nothing is lost"
        case "stopped":
            yield label, f"not running; the last one was stopped {format_minute(process.stopped_at)}"
        case _:
            yield label, f"not running; the last one ended unexpectedly after {heartbeat}"
    for fault in process.faults if state != "stopped" else ():
        yield "", f"{fault.job} failing since {format_minute(fault.since)}: {to_one_line(fault.reason, REASON_CHARS)}"
    if state == "running" and everything:
        yield from _job_rows(process, now=process.heartbeat_at)


def _job_rows(process: DaemonStatus, *, now: datetime) -> Iterator[Row]:
    """Yield the rows on a daemon's clock and the next runs of its jobs."""
    jump = process.clock_jump
    if jump and now - jump.at <= JUMP_SHOWN_FOR:
        way = "ahead" if jump.by_s > 0 else "back"
        yield "", f"the clock was set {way} by {format_duration(abs(jump.by_s))} at {format_minute(jump.at)}"
    jobs = [(to_one_line(run.job, NAME_CHARS), run.at) for run in process.jobs]
    if jobs:
        yield "", f"jobs within a minute: {', '.join(job for job, at in jobs if at - now <= SOON) or 'none'}"
    if later := [f"{job} {format_minute(at)}" for job, at in jobs if at - now > SOON]:
        more = [f"{len(later) - JOBS_SHOWN} more"] if len(later) > JOBS_SHOWN else []
        yield "", f"jobs later: {', '.join(later[:JOBS_SHOWN] + more)}"
