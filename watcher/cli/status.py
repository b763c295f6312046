"""`watcher status`: the sources by health, what is stored, what waits; or all about one source."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from watcher.cli.app import DONE, FAILED, Config, Json, examples, load_settings
from watcher.cli.looking import size
from watcher.cli.output import print_json, print_lines
from watcher.cli.sources import find_source
from watcher.cli.status_daemon import daemon_found, daemon_lines
from watcher.cli.status_source import gather_source, health_words, iso, moment, row_of, source_lines
from watcher.errors import StoreError
from watcher.features.embedders import embedder_config, resolve_embedder
from watcher.feeds.health import rank
from watcher.feeds.html_text import one_line
from watcher.model import FEATURES_VERSION
from watcher.plugins import load_plugins
from watcher.store.articles import count_articles, count_fallback_reasons
from watcher.store.engine import connect, open_store, redacted_url, store_bytes
from watcher.store.features import count_outdated, count_without_vector, recorded_embedder
from watcher.store.feeds import feed_states
from watcher.store.hosts import network_down_since
from watcher.store.pages import failed_page_counts, waiting_pages
from watcher.store.stats import count_due
from watcher.store.writer import read

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.model import Source
    from watcher.settings.model import Settings

SHOWN = 10  # sources on one screen, each with what mends it
REASONS = 3  # of pages, on one screen
WATCH_S = 5.0
CLEAR_SCREEN = "\x1b[H\x1b[J"
NAME_CHARS, WHY_CHARS = 60, 200
TROUBLE_CHARS = 300
# Entry points: value = "module:function", which takes the settings and returns a StatusPart.
PARTS_GROUP = "watcher.status"


@examples("watcher status", "watcher status 'The Example'", "watcher status --all", "watcher status --watch")
def command(
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
        found = daemon_found(engine, now=datetime.now(UTC))
        engine.dispose()
        print_json(found) if json else print_lines(daemon_lines(found))
        return DONE if found and found["state"] == "running" else FAILED
    row = settings.sources[find_source(settings, source)] if source else None
    try:
        engine = open_store(settings.store.url, make=False)
    except StoreError as error:
        return tell_unusable(connect(settings.store.url), error, json=json)
    while True:
        told, found = tell(settings, engine, row.source() if row else None, everything=everything)
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


def tell_unusable(engine: Engine, error: StoreError, *, json: bool) -> int:
    """Tell what can be told of a store that cannot be opened: why, and what its daemon says."""
    found = daemon_found(engine, now=datetime.now(UTC))
    engine.dispose()
    if json:
        print_json({"daemon": found, "store": redacted_url(engine), "error": str(error), "mend": error.mend})
    else:
        mend = (f"{'':9}try: {error.mend}",) if error.mend else ()
        print_lines([*daemon_lines(found), f"store    {error}", *mend])
    return FAILED


def tell(
    settings: Settings, engine: Engine, source: Source | None, *, everything: bool
) -> tuple[Iterable[str], dict[str, Any]]:
    """Return the status for a terminal, and as JSON has it."""
    now = datetime.now(UTC)
    if source is not None:
        enabled = source.url in {each.url for each in settings.active_sources()}
        found = gather_source(source, engine, enabled=enabled, now=now)
        return source_lines(found, now=now), found
    found = gather(settings, engine, now=now)
    parts = plugged_in_parts(settings)
    told = chain(lines(found, everything=everything), *(part.lines for part in parts))
    return told, found | {part.name: part.found for part in parts}


def gather(settings: Settings, engine: Engine, *, now: datetime) -> dict[str, Any]:
    """Return what there is to tell of all sources, the worst first, as JSON has it."""
    states = {state.feed.source.url: state for state in read(engine, feed_states)}
    sources = {source.url: source for source in settings.active_sources()}
    rows = [row_of(source, states.get(url), now=now) for url, source in sources.items()]
    rows.sort(key=lambda row: (rank(row["health"]), row["name"]))
    lost = read(engine, failed_page_counts, start=datetime.min.replace(tzinfo=UTC), end=now)
    return {
        "daemon": daemon_found(engine, now=now),
        "store": redacted_url(engine),
        "store_bytes": store_bytes(engine),
        "line_down_since": iso(read(engine, network_down_since)),
        "articles": read(engine, count_articles),
        "due": read(engine, count_due, now=now),
        "pages_waiting": read(engine, waiting_pages, now=now),
        "features": features_found(settings, engine),
        "pages_without_article": [{"reason": reason, "pages": n} for reason, n in lost],
        "pages_replaced_by_feed": [
            {"reason": reason, "pages": n} for reason, n in read(engine, count_fallback_reasons)
        ],
        "sources": rows,
    }


def lines(found: dict[str, Any], *, everything: bool) -> Iterator[str]:
    """Yield the status for a terminal: one screen, or all there is."""
    rows = found["sources"]
    yield from daemon_lines(found["daemon"])
    held = f" in {size(found['store_bytes'])}" if found["store_bytes"] else ""
    waits = f"{found['pages_waiting']} pages to get, {found['due']} feeds and pages due"
    yield f"store    {found['store']}: {found['articles']} articles{held}, {waits}"
    if found["line_down_since"]:
        since = moment(found["line_down_since"])
        yield f"line     your own line is down since {since}: nothing is asked until it works again"
    yield from features_lines(found["features"])
    counts = dict.fromkeys((row["health"] for row in rows), 0)
    for row in rows:
        counts[row["health"]] += 1
    yield f"sources  {len(rows)}" + (": " if rows else "") + ", ".join(f"{n} {word}" for word, n in counts.items())
    told = rows if everything else chosen(rows, most=SHOWN)
    for row in told:
        yield from row_lines(row, everything=everything)
    unwell = sum(row["health"] not in ("ok", "new") for row in rows)
    if not everything and unwell:
        more = f"and {unwell - len(told)} more, by watcher status --all; " if unwell > len(told) else ""
        yield f"  {more}watcher status NAME tells all about one"
    yield from page_lines(found, everything=everything)


def page_lines(found: dict[str, Any], *, everything: bool) -> Iterator[str]:
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


def row_lines(row: dict[str, Any], *, everything: bool) -> Iterator[str]:
    """Yield the lines of one source in the list."""
    about = one_line(health_words(row), WHY_CHARS)
    count = f"{row['articles']} articles"
    yield f"  {row['health']:10} {one_line(row['name'], NAME_CHARS)}: " + (f"{about}; {count}" if about else count)
    if row["mend"]:
        yield f"{'':13}try: {one_line(row['mend'], WHY_CHARS)}"
    if everything:
        yield f"{'':13}{one_line(row['url'], WHY_CHARS * 2)}"
        for fault in row["faults"]:
            yield f"{'':13}fault: {one_line(str(fault), WHY_CHARS)}"


def chosen(rows: Sequence[dict[str, Any]], *, most: int) -> list[dict[str, Any]]:
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


def features_found(settings: Settings, engine: Engine) -> dict[str, Any]:
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


def features_lines(found: dict[str, Any]) -> Iterator[str]:
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
class StatusPart:
    """A part of the status: its key in the JSON and what stands there, and its lines for a terminal."""

    name: str
    found: Any
    lines: tuple[str, ...] = ()


def plugged_in_parts(settings: Settings) -> tuple[StatusPart, ...]:
    """Return what installed packages add. Errors: PluginError, StoreError."""
    return tuple(part_of(settings) for _, part_of in load_plugins(PARTS_GROUP, "the part of the status of"))
