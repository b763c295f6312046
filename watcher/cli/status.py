"""`watcher status`: the daemon, the sources by health, what is stored and what waits; or all about one source."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, load_settings, with_examples
from watcher.cli.output import format_bytes, print_json, print_lines
from watcher.cli.sources import find_source
from watcher.errors import StoreError
from watcher.features.embedders import embedder_config, resolve_embedder
from watcher.feeds.health import health, rank
from watcher.feeds.html_text import one_line
from watcher.model import FEATURES_VERSION
from watcher.plugins import load_plugins
from watcher.store.articles import count_articles, count_fallback_reasons
from watcher.store.daemon_lock import find_marks
from watcher.store.engine import connect, open_store, redacted_url, store_bytes
from watcher.store.features import count_outdated, count_without_vector, recorded_embedder
from watcher.store.feeds import feed_state, feed_states
from watcher.store.hosts import network_down_since
from watcher.store.pages import failed_page_counts, waiting_pages
from watcher.store.polls import health_lines, poll_lines
from watcher.store.stats import count_due
from watcher.store.writer import read
from watcher.text.format import format_age, format_duration
from watcher.text.urls import hide_secrets

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.model import Source
    from watcher.settings.models import Settings
    from watcher.store.daemon_lock import Mark
    from watcher.store.feeds import FeedState

SHOWN = 10  # sources on one screen, each with what mends it
REASONS = 3  # of pages, on one screen
WATCH_S = 5.0
CLEAR_SCREEN = "\x1b[H\x1b[J"
NAME_CHARS, WHY_CHARS = 60, 200
TROUBLE_CHARS = 300
# Entry points: value = "module:function", which takes the settings and returns a StatusPart.
PARTS_GROUP = "watcher.status"


@with_examples("watcher status", "watcher status 'The Example'", "watcher status --all", "watcher status --watch")
def show_status(
    source: Annotated[str, Argument(metavar="[NAME|URL]", help="All about one source: health, history, polls.")] = "",
    everything: Annotated[bool, Option("--all", help="List every source, the healthy ones too.")] = False,
    watch: Annotated[bool, Option("--watch", help="Show it anew every five seconds, until Ctrl-C.")] = False,
    alive: Annotated[bool, Option("--alive", help="Only say whether a daemon is at work: exit code 1 if not.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Show whether a daemon is at work, how the sources fare, worst first, and what the store holds; or all about one.

    `--alive` is for health checks: the daemon's loop and its store have to have given a sign of life of late.
    """
    settings = load_settings(config)
    if alive:
        engine = connect(settings.store.url)
        found = collect_daemon(engine, now=datetime.now(UTC))
        engine.dispose()
        print_json(found) if json else print_lines(format_daemon(found))
        return DONE if found and found["state"] == "running" else FAILED
    row = settings.sources[find_source(settings, source)] if source else None
    try:
        engine = open_store(settings.store.url, make=False)
    except StoreError as error:
        return print_store_error(connect(settings.store.url), error, json=json)
    while True:
        told, found = print_status(settings, engine, row.source() if row else None, everything=everything)
        if json:
            print_json(found)
        else:
            sys.stdout.write(CLEAR_SCREEN if watch and sys.stdout.isatty() else "")
            print_lines(told)
        if not watch:
            break
        sys.stdout.flush()
        time.sleep(WATCH_S)
    engine.dispose()
    return DONE


def print_store_error(engine: Engine, error: StoreError, *, json: bool) -> int:
    """Tell what can be told of a store that cannot be opened: why, and what its daemon says."""
    found = collect_daemon(engine, now=datetime.now(UTC))
    engine.dispose()
    if json:
        print_json({"daemon": found, "store": redacted_url(engine), "error": str(error), "mend": error.mend})
    else:
        mend = (f"{'':9}try: {error.mend}",) if error.mend else ()
        print_lines([*format_daemon(found), f"store    {error}", *mend])
    return FAILED


def print_status(
    settings: Settings, engine: Engine, source: Source | None, *, everything: bool
) -> tuple[Iterable[str], dict[str, Any]]:
    """Return the status for a terminal, and as JSON has it."""
    now = datetime.now(UTC)
    if source is not None:
        enabled = source.url in {each.url for each in settings.active_sources()}
        found = collect_source(source, engine, enabled=enabled, now=now)
        return format_source(found, now=now), found
    found = collect_status(settings, engine, now=now)
    parts = load_plugin_sections(settings)
    told = chain(format_status(found, everything=everything), *(part.lines for part in parts))
    return told, found | {part.name: part.found for part in parts}


def collect_status(settings: Settings, engine: Engine, *, now: datetime) -> dict[str, Any]:
    """Return what there is to tell of all sources, the worst first, as JSON has it."""
    states = {state.feed.source.url: state for state in read(engine, feed_states)}
    sources = {source.url: source for source in settings.active_sources()}
    rows = [source_row(source, states.get(url), now=now) for url, source in sources.items()]
    rows.sort(key=lambda row: (rank(row["health"]), row["name"]))
    lost = read(engine, failed_page_counts, start=datetime.min.replace(tzinfo=UTC), end=now)
    return {
        "daemon": collect_daemon(engine, now=now),
        "store": redacted_url(engine),
        "store_bytes": store_bytes(engine),
        "line_down_since": iso(read(engine, network_down_since)),
        "articles": read(engine, count_articles),
        "due": read(engine, count_due, now=now),
        "pages_waiting": read(engine, waiting_pages, now=now),
        "features": count_backlog(settings, engine),
        "pages_without_article": [{"reason": str(reason), "pages": n} for reason, n in lost],
        "pages_replaced_by_feed": [
            {"reason": str(reason), "pages": n} for reason, n in read(engine, count_fallback_reasons)
        ],
        "sources": rows,
    }


def format_status(found: dict[str, Any], *, everything: bool) -> Iterator[str]:
    """Yield the status for a terminal: one screen, or all there is."""
    rows = found["sources"]
    yield from format_daemon(found["daemon"])
    held = f" in {format_bytes(found['store_bytes'])}" if found["store_bytes"] else ""
    waits = f"{found['pages_waiting']} pages to get, {found['due']} feeds and pages due"
    yield f"store    {found['store']}: {found['articles']} articles{held}, {waits}"
    if found["line_down_since"]:
        since = format_minute(found["line_down_since"])
        yield f"line     your own line is down since {since}: nothing is asked until it works again"
    yield from format_backlog(found["features"])
    counts = dict.fromkeys((row["health"] for row in rows), 0)
    for row in rows:
        counts[row["health"]] += 1
    yield f"sources  {len(rows)}" + (": " if rows else "") + ", ".join(f"{n} {word}" for word, n in counts.items())
    told = rows if everything else pick_unhealthy(rows, most=SHOWN)
    for row in told:
        yield from format_source_row(row, everything=everything)
    unwell = sum(row["health"] not in ("ok", "new") for row in rows)
    if not everything and unwell:
        more = f"and {unwell - len(told)} more, by watcher status --all; " if unwell > len(told) else ""
        yield f"  {more}watcher status NAME tells all about one"
    yield from format_missing_pages(found, everything=everything)


def format_missing_pages(found: dict[str, Any], *, everything: bool) -> Iterator[str]:
    """Yield for which reasons pages brought no article, or the feed's own text in its place."""
    for key, words in (
        ("pages_without_article", "pages without an article"),
        ("pages_replaced_by_feed", "pages in whose place the feed's own text stands"),
    ):
        reasons = found[key] if everything else found[key][:REASONS]
        if reasons:
            yield words
        for row in reasons:
            yield f"  {row['pages']:5} {one_line(str(row['reason']), WHY_CHARS)}"
        if left := found[key][len(reasons) :]:
            yield f"  {sum(row['pages'] for row in left):5} for {len(left)} other reasons: watcher status --all"


def format_source_row(row: dict[str, Any], *, everything: bool) -> Iterator[str]:
    """Yield the lines of one source in the list."""
    about = one_line(format_health(row), WHY_CHARS)
    count = f"{row['articles']} articles"
    yield f"  {row['health']:10} {one_line(row['name'], NAME_CHARS)}: " + (f"{about}; {count}" if about else count)
    if row["mend"]:
        yield f"{'':13}try: {one_line(row['mend'], WHY_CHARS)}"
    if everything:
        yield f"{'':13}{one_line(row['url'], WHY_CHARS * 2)}"
        for fault in row["faults"]:
            yield f"{'':13}fault: {one_line(str(fault), WHY_CHARS)}"


def pick_unhealthy(rows: Sequence[dict[str, Any]], *, most: int) -> list[dict[str, Any]]:
    """Return up to `most` sources that are not well, in order; each word has its turn, so that many hide no other."""
    by_word: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["health"] not in ("ok", "new"):
            by_word.setdefault(row["health"], []).append(row)
    left = most
    shares = dict.fromkeys(by_word, 0)
    while left and any(shares[word] < len(alike) for word, alike in by_word.items()):
        for word, alike in by_word.items():
            if left and shares[word] < len(alike):
                shares[word] += 1
                left -= 1
    return [row for word, alike in by_word.items() for row in alike[: shares[word]]]


def count_backlog(settings: Settings, engine: Engine) -> dict[str, Any]:
    """Return, as JSON has it, which embedder is in use and how many articles wait for it, or for newer features."""
    choice = resolve_embedder(embedder_config(settings.semantic))
    noted = read(engine, recorded_embedder)
    used = noted if noted is not None and choice is not None and noted.mark == choice.store_key else None
    name = used.name if used else None
    return {
        "embedder": choice.setting if choice else "none",
        "model": name,
        "without_vector": read(engine, count_without_vector, model=name) if choice else 0,
        "trouble": used.trouble if used else None,
        "outdated": read(engine, count_outdated, version=FEATURES_VERSION),
    }


def format_backlog(found: dict[str, Any]) -> Iterator[str]:
    """Yield what a person should know of it; nothing where all is made."""
    if found["without_vector"]:
        by = one_line(found["model"] or found["embedder"], 100)
        waiting = found["without_vector"]
        some = "1 article has" if waiting == 1 else f"{waiting} articles have"
        yield f"vectors  {some} none of {by} yet; they get it while the daemon runs"
    if found["trouble"]:
        yield f"         no vectors are made: {one_line(found['trouble'], TROUBLE_CHARS)}"
    if found["outdated"]:
        some = "1 article has" if found["outdated"] == 1 else f"{found['outdated']} articles have"
        yield f"features {some} those of an older version; they are made anew by and by"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSection:
    """A part of the status: its key in the JSON and what stands there, and its lines for a terminal."""

    name: str
    found: Any
    lines: tuple[str, ...] = ()


def load_plugin_sections(settings: Settings) -> tuple[StatusSection, ...]:
    """Return what installed packages add. Errors: PluginError, StoreError."""
    return tuple(part_of(settings) for _, part_of in load_plugins(PARTS_GROUP, "the part of the status of"))


SILENT = timedelta(minutes=2)  # a sign of life comes every ten seconds, and waits a quarter of a minute for the store
FAULT_CHARS = 200
MACHINE_CHARS = 60
OTHERS_SHOWN = 5  # others that are not well
SOON = timedelta(minutes=1)
JOBS_SHOWN = 6  # of those that run later
JUMP_SHOWN = timedelta(days=1)
NOT_RUNNING = "daemon   none is running; watcher run starts one"
KINDS = ((False, "daemon"), (True, "helper"))


def collect_daemon(engine: Engine, *, now: datetime) -> dict[str, Any] | None:
    """
    Return what there is to tell of the daemon, as JSON has it; None if there has never been one here.

    Of several that share a server it is the one with the latest sign of life, with the others that live beside it;
    a `watcher work` is none, though it is told where there is no other.
    """
    marks = find_marks(engine)
    first = next((mark for mark in marks if not mark.is_helper), None)
    others = [mark for mark in marks if mark.is_held and mark is not first]
    if first is None and not others:
        return None
    found = process_to_json(first, now=now) if first else {"state": "none", "faults": []}
    return found | {"others": [process_to_json(mark, now=now) for mark in others]}


def process_to_json(mark: Mark, *, now: datetime) -> dict[str, Any]:
    """Return what one says of itself, as JSON has it."""
    return {
        "state": state_of(mark, now=now),
        "pid": mark.pid,
        "machine": mark.machine or None,
        "helper": mark.is_helper,
        "started_at": mark.started_at.isoformat(),
        "last_sign_at": mark.beat_at.isoformat(),
        "stopped_at": mark.stopped_at.isoformat() if mark.stopped_at else None,
        "jobs": [{"job": next_run.job, "next_run_at": next_run.at.isoformat()} for next_run in mark.jobs],
        "clock_jump": {"at": jump.at.isoformat(), "by_s": jump.by_s} if (jump := mark.clock_jump) else None,
        "faults": [{"job": f.job, "since": f.since.isoformat(), "reason": f.reason} for f in mark.faults],
    }


def state_of(mark: Mark, *, now: datetime) -> str:
    """Return "running", "silent" (it is there but gives no sign of life), "stopped" or "gone" (it ended unasked)."""
    if not mark.is_held:
        return "stopped" if mark.stopped_at else "gone"
    return "running" if abs(now - mark.beat_at) <= SILENT else "silent"


def format_daemon(found: dict[str, Any] | None) -> Iterator[str]:
    """Yield the lines for a terminal."""
    if found is None:
        yield NOT_RUNNING
        return
    yield from format_process(found, label="daemon")
    unwell = [other for other in found["others"] if other["state"] != "running" or other["faults"]]
    for other in unwell[:OTHERS_SHOWN]:
        yield from format_process(other, label="helper" if other["helper"] else "daemon")
    counts = [(sum(other["helper"] is is_helper for other in found["others"]), word) for is_helper, word in KINDS]
    told = " and ".join(f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if count)
    if told:
        yield f"{'':9}also on this store: {told}"


def format_process(found: dict[str, Any], *, label: str) -> Iterator[str]:
    """Yield the lines of one, its faults among them."""
    at = f"on {one_line(found['machine'], MACHINE_CHARS)}" if found.get("machine") else ""
    match found["state"]:
        case "none":
            yield NOT_RUNNING
        case "running":
            yield f"{label}   running since {format_minute(found['started_at'])}, process {found['pid']} {at}".rstrip()
        case "silent":
            who = f"process {found['pid']} {at}".rstrip()
            yield f"{label}   {who} has given no sign of life since {format_minute(found['last_sign_at'])}"
            there = f"{at}, " if at else ""
            yield f"{'':9}try: {there}kill -KILL {found['pid']}, then start it again; nothing is lost"
        case "stopped":
            yield f"{label}   none is running, the last one was stopped {format_minute(found['stopped_at'])}"
        case _:
            last_sign = format_minute(found["last_sign_at"])
            yield f"{label}   none is running, the last one ended without a word after {last_sign}"
    for fault in found["faults"] if found["state"] != "stopped" else ():
        reason = one_line(fault["reason"], FAULT_CHARS)
        yield f"{'':9}{fault['job']} fails since {format_minute(fault['since'])}: {reason}"
    if found["state"] == "running":
        yield from format_jobs(found)


def format_jobs(found: dict[str, Any]) -> Iterator[str]:
    """Yield when the jobs of a daemon run next, and whether its clock was set of late."""
    now = datetime.fromisoformat(found["last_sign_at"])
    jump = found["clock_jump"]
    if jump and now - datetime.fromisoformat(jump["at"]) <= JUMP_SHOWN:
        way = "ahead" if jump["by_s"] > 0 else "back"
        yield f"{'':9}the clock was set {way} by {format_duration(abs(jump['by_s']))} at {format_minute(jump['at'])}"
    times = [(one_line(job["job"], MACHINE_CHARS), datetime.fromisoformat(job["next_run_at"])) for job in found["jobs"]]
    soon = ", ".join(name for name, at in times if at - now <= SOON)
    later = [f"{name} {format_minute(at.isoformat())}" for name, at in times if at - now > SOON]
    more = [f"{len(later) - JOBS_SHOWN} more"] if len(later) > JOBS_SHOWN else []
    if times:
        yield f"{'':9}jobs within a minute: {soon or 'none'}"
    if later:
        yield f"{'':9}jobs later: {', '.join(later[:JOBS_SHOWN] + more)}"


LABEL = 10  # columns
POLLS = 10  # the last ones
CHANGES = 10  # of health, for a terminal; all that are kept as JSON
WORDS_CHARS = 200  # of what a server said, for a terminal


def source_row(source: Source, state: FeedState | None, *, now: datetime) -> dict[str, Any]:
    """Return what the list tells of a source, as JSON has it; `state` is None where it was never polled."""
    if state is None:
        url = hide_secrets(source.url)
        row = {"name": source.name, "url": url, "asked_at": url, "health": "new", "why": "not polled yet"}
        unknown = dict.fromkeys(("since", "last_polled_at", "last_new_at", "next_poll_at"))
        return row | {"mend": ""} | unknown | {"articles": 0, "faults": []}
    feed = state.feed
    told = health(feed, reason=state.reason, held_until=state.held_until, now=now)
    return {
        "name": source.name,
        "url": hide_secrets(source.url),
        "asked_at": hide_secrets(feed.url),
        "health": told.word,
        "why": told.why,
        "mend": told.mend,
        "since": iso(told.since),
        "last_polled_at": iso(feed.last_polled_at),
        "last_new_at": iso(feed.last_new_at),
        "next_poll_at": iso(state.asked_next_at),
        "articles": state.articles,
        "faults": list(state.faults),
    }


def collect_source(source: Source, engine: Engine, *, enabled: bool, now: datetime) -> dict[str, Any]:
    """Return all there is to tell of one source, as JSON has it."""
    state = read(engine, feed_state, source.url)
    row = source_row(source, state, now=now) | {"enabled": enabled}
    if state is None:
        return row | {"history": [], "polls": []}
    feed = state.feed
    validators = {"etag": feed.validators.etag, "last_modified": feed.validators.last_modified}
    row |= {"last_read_at": iso(feed.last_read_at), "interval_s": feed.interval_s, "took_s": feed.took_s}
    row |= {
        "failures": feed.failures,
        "gap_s": feed.gap_s,
        "moved_to": hide_secrets(feed.moved_to or "") or None,
        "validators": validators,
    }
    changes = read(engine, health_lines, feed.id)
    last = read(engine, poll_lines, feed.id, most=POLLS)
    return row | {
        "history": [{"at": iso(line.at), "word": line.word, "why": str(line.reason or "")} for line in changes],
        "polls": [
            {
                "at": iso(line.at),
                "status": line.status,
                "new": line.new,
                "changed": line.changed,
                "held_back": line.held_back,
                "took_s": round(line.took_s, 3),
                "reason": str(line.reason) if line.reason else None,
                "then_quiet": line.then_quiet,
            }
            for line in last
        ],
    }


def iso(at: datetime | None) -> str | None:
    """Return a time as text."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def format_minute(text: str | None) -> str:
    """Return a time of `iso` for a terminal, by the minute."""
    return f"{text[:10]} {text[11:16]} UTC" if text else "never"


def format_source(found: dict[str, Any], *, now: datetime) -> Iterator[str]:
    """Yield what there is to tell of one source, for a terminal."""
    yield one_line(f"{found['name']} ({found['url']})", WORDS_CHARS * 2)
    for label, words in detail_rows(found, now=now):
        yield f"{label:{LABEL}} {one_line(words, WORDS_CHARS * 2)}".rstrip()
    if found["history"]:
        yield "health"
        for line in found["history"][:CHANGES]:
            yield f"  {format_minute(line['at'])}  {line['word']:{LABEL}} {one_line(line['why'], WORDS_CHARS)}".rstrip()
    if found["polls"]:
        yield "polls"
        for line in found["polls"]:
            counts = f"{line['new']:4} new  {line['took_s']:6.2f} s"
            told = filter(
                None, (one_line(line["reason"] or "", WORDS_CHARS), format_unchanged_polls(line["then_quiet"]))
            )
            yield f"  {format_minute(line['at'])}  {line['status']:{LABEL}} {counts}  {'; '.join(told)}".rstrip()


def format_unchanged_polls(count: int) -> str:
    """Return what came after a poll that has a line of its own."""
    return f"then {count:,} poll{'s' if count > 1 else ''} that brought nothing" if count else ""


def detail_rows(found: dict[str, Any], *, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield label and words of the rows at the top."""
    yield found["health"], format_health(found)
    if found["mend"]:
        yield "try", found["mend"]
    if not found["enabled"]:
        yield "switched", "off in the settings: it is not asked"
    if found["asked_at"] != found["url"]:
        yield "asked at", found["asked_at"]
    yield "next poll", format_next_poll(found, now=now)
    if found.get("interval_s"):
        rhythm = f"; something new usually every {format_duration(found['gap_s'])}" if found.get("gap_s") else ""
        yield "interval", f"{format_duration(found['interval_s'])}{rhythm}"
    if found["last_polled_at"]:
        yield "last", f"polled {format_minute(found['last_polled_at'])}, new {format_minute(found['last_new_at'])}"
        named = ", ".join(f"{name} {value}" for name, value in named_validators(found) if value)
        yield "validators", named or "none: every poll costs a whole body"
    if found.get("took_s") is not None:
        yield "answers", f"in {found['took_s']:.2f} s"
    yield "articles", f"{found['articles']:,}"
    for fault in found["faults"]:
        yield "fault", str(fault)


def named_validators(found: dict[str, Any]) -> tuple[tuple[str, str | None], ...]:
    """Return the validators of a source by the names of their headers."""
    kept = found["validators"]
    return (("ETag", kept["etag"]), ("Last-Modified", kept["last_modified"]))


def format_health(row: dict[str, Any]) -> str:
    """Return why a source is what it is, and since when."""
    since = f"since {format_minute(row['since'])}" if row["since"] else ""
    return f"{row['why']} ({since})" if since and row["why"] else since or row["why"]


def format_next_poll(found: dict[str, Any], *, now: datetime) -> str:
    """Return when a source is asked next, for a terminal."""
    if found["health"] == "gone":
        return "none: it is gone"
    if not found["next_poll_at"]:
        return "with the next watcher poll, or by watcher run"
    left = datetime.fromisoformat(found["next_poll_at"]) - now
    return format_minute(found["next_poll_at"]) + (
        f", {format_age(-left).replace(' ahead', ' from now')}" if left else ""
    )
