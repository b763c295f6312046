"""`watcher status`: the sources by health, what is stored, what waits."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from watcher.cli.app import DONE, Config, Json, examples, load_settings, print_json

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from watcher.settings.model import Settings

ORDER = ("gone", "failing", "silent", "undated", "new", "ok")  # worst first


@examples("watcher status", "watcher status --all", "watcher status --json")
def command(
    everything: Annotated[bool, Option("--all", help="List every source, the healthy ones too.")] = False,
    config: Config = None,
    json: Json = False,
) -> int:
    """Show how the sources fare, worst first, and what the store holds."""
    from watcher.store.open import open_store

    settings = load_settings(config)
    engine = open_store(settings.store.url)
    found = gather(settings, engine)
    engine.dispose()
    if json:
        print_json(found)
    else:
        sys.stdout.write("\n".join(lines(found, everything=everything)) + "\n")
    return DONE


def gather(settings: Settings, engine: Engine) -> dict[str, Any]:
    """Return what there is to tell, as JSON has it."""
    from datetime import UTC

    from watcher.feeds.health import health
    from watcher.store.articles import count_articles, feed_reasons
    from watcher.store.feeds import feed_states
    from watcher.store.open import shown
    from watcher.store.pages import given_up, waiting_pages
    from watcher.store.writer import read

    now = datetime.now(UTC)
    known = {source.url for source in settings.active_sources()}
    states = read(engine, feed_states)
    rows = []
    for state in states:
        feed = state.feed
        told = health(feed, reason=state.reason, dateless=state.dateless, now=now)
        rows.append(
            {
                "name": feed.source.name,
                "url": feed.source.url,
                "asked_at": feed.url,
                "health": told.word,
                "why": told.why,
                "last_polled_at": iso(feed.last_polled_at),
                "last_new_at": iso(feed.last_new_at),
                "next_poll_at": None if feed.gone else iso(feed.next_poll_at),
                "articles": state.articles,
                "faults": list(state.faults),
            }
        )
    seen = {row["url"] for row in rows}
    rows += [
        {"name": s.name, "url": s.url, "health": "new", "why": "not polled yet", "articles": 0, "faults": []}
        for s in settings.active_sources()
        if s.url not in seen
    ]
    rows = [row for row in rows if row["url"] in known]
    rows.sort(key=lambda row: (ORDER.index(str(row["health"])), str(row["name"])))
    return {
        "store": shown(engine),
        "articles": read(engine, count_articles),
        "pages_waiting": read(engine, lambda c: waiting_pages(c, now=now)),
        "pages_without_article": [
            {"reason": reason, "pages": n}
            for reason, n in read(engine, lambda c: given_up(c, start=datetime.min.replace(tzinfo=UTC), end=now))
        ],
        "pages_replaced_by_feed": [{"reason": reason, "pages": n} for reason, n in read(engine, feed_reasons)],
        "sources": rows,
    }


def iso(at: datetime | None) -> str | None:
    """Return a time as text."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def lines(found: dict[str, Any], *, everything: bool) -> list[str]:
    """Return the status for a terminal."""
    rows = found["sources"]
    counts = {word: sum(row["health"] == word for row in rows) for word in ORDER}
    told = [f"store    {found['store']}: {found['articles']} articles, {found['pages_waiting']} pages to get"]
    told.append(f"sources  {len(rows)}: " + ", ".join(f"{n} {word}" for word, n in counts.items() if n))
    for row in rows:
        if everything or row["health"] != "ok":
            about = f"{row['why']}; {row['articles']} articles" if row["why"] else f"{row['articles']} articles"
            told.append(f"  {row['health']:8} {row['name']}: {about}\n           {row['url']}")
        if everything:
            told += [f"           fault: {fault}" for fault in row["faults"]]
    for key, words in (
        ("pages_without_article", "pages without an article"),
        ("pages_replaced_by_feed", "pages in whose place the feed's own text stands"),
    ):
        if found[key]:
            told.append(words)
            told += [f"  {row['pages']:5} {row['reason']}" for row in found[key]]
    return told
