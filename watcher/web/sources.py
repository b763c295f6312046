"""
The pages of the sources: the list, worst health first, a page for each source with its polls and articles, and the page
that adds a source to the settings file.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from watcher.errors import SettingsError
from watcher.feeds.health import Health, feed_health, severity
from watcher.model import PageSelectors
from watcher.settings.edit import add_source_row, read_for_edit, save_settings, source_row, switch_source
from watcher.settings.models import Settings
from watcher.store.articles import latest_of_feed
from watcher.store.daemon_lock import read_daemon_status
from watcher.store.feeds import FeedState, feed_state, feed_states, make_due, sync_sources
from watcher.store.polls import feed_stats, load_health_changes, load_polls
from watcher.store.visits import hosts_being_visited
from watcher.store.writer import read, write
from watcher.text.format import format_count, format_duration
from watcher.text.plain_text import to_one_line
from watcher.text.urls import hide_secrets, is_web
from watcher.web.site import NotFound, Page, PageRequest, PageResponse, Site, render_page

ON_A_PAGE = 100  # sources
POLLS = 20  # last polls shown for a source
CHANGES = 10  # last changes of its health
PREVIEW = 10  # articles
NAME_CHARS, WHY_CHARS, QUERY_CHARS = 100, 300, 100
ADDRESS_CHARS = 2_000
JAVASCRIPT_SAFE = "()+,./:=?"  # characters that stand for themselves in the address of a bookmarklet
LEAST_REST = timedelta(minutes=1)  # minimum between two polls requested by a reader
DONE_WORDS = {  # on the page that a form leads to
    "add": "Added to the settings file, in which nothing else has changed. A running daemon polls the source now.",
    "poll": "You requested a poll.",
    "pause": "Done: the source is switched off in the settings file.",
    "resume": "Done: the source is switched on in the settings file.",
}
ADDED_FIELDS = ("url", "name", "language", *PageSelectors.__slots__)  # of a form
WAITING_S = 4  # reload interval of a page whose source is being polled


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    id: int
    name: str
    url: str
    asked_at: str  # the URL that is polled, "" if it is `url`
    about: str  # country and language
    health: Health
    state: FeedState


def _all_sources(site: Site, ask: PageRequest) -> PageResponse:
    """Return a page of the list of sources."""
    wanted = ask.query.get("q", "")[:QUERY_CHARS].strip()
    page_number = ask.page()
    rows = read(site.engine, _filter_sources, site, wanted)
    part = rows[(page_number - 1) * ON_A_PAGE : page_number * ON_A_PAGE]
    if page_number > 1 and not part:
        raise NotFound("This page does not exist.")
    paused = [row.source() for row in site.settings.sources if not row.enabled]
    return render_page(
        site,
        "sources.html.j2",
        rows=part,
        **read(site.engine, _load_figures, site, part),
        total=len(rows),
        unwell=sum(not row.health.is_ok for row in rows),
        words=Counter(row.health.status for row in rows),
        wanted=wanted,
        at=page_number,
        more=page_number * ON_A_PAGE < len(rows),
        ending=f"?q={quote(wanted)}" if wanted else "",
        paused=[to_one_line(source.name, NAME_CHARS) for source in paused],
        polling=0 if site.is_static else len(read(site.engine, hosts_being_visited, now=site.now())),
    )


def _filter_sources(connection: Connection, site: Site, wanted: str) -> list[SourceRow]:
    """Return the sources with `wanted` in their name, URL, country, language or health, worst health first."""
    now, word = site.now(), wanted.casefold()
    rows = [_to_row(state, now=now) for state in feed_states(connection, counted=False)]
    rows = [row for row in rows if word in f"{row.name} {row.url} {row.about} {row.health.status}".casefold()]
    return sorted(rows, key=lambda row: (severity(row.health.status), row.name.casefold(), row.id))


def _to_row(state: FeedState, *, now: datetime) -> SourceRow:
    """Return a feed as a row of the page."""
    feed = state.feed
    source = feed.source
    return SourceRow(
        id=feed.id,
        name=to_one_line(source.name, NAME_CHARS),
        url=hide_secrets(source.url),
        asked_at=hide_secrets(feed.url) if feed.url != source.url else "",
        about=", ".join(filter(None, (source.country, source.language))),
        health=feed_health(feed, reason=state.reason, held_until=state.blocked_until, now=now),
        state=state,
    )


def _load_figures(connection: Connection, site: Site, rows: Sequence[SourceRow]) -> dict[str, Any]:
    """Return statistics and numbers of recent stories of the sources, both by feed id."""
    ids, now = [row.id for row in rows], site.now()
    stories: dict[int, int] = {}
    for plugin in site.plugins:
        stories |= plugin.count_stories(connection, ids, now)
    return {"figures": feed_stats(connection, ids, now=now), "stories": stories}


def _one_source(site: Site, ask: PageRequest) -> PageResponse:
    """Return the page of one source."""
    details = read(site.engine, load_details, site, ask)
    done = ask.query.get("done", "")
    words = (
        DONE_WORDS.get(done) if details["enabled"] == (done != "pause") else None
    )  # unless it was changed again since
    return render_page(
        site,
        "source.html.j2",
        has_form=True,
        refresh_s=WAITING_S if details["is_waiting"] else 0,
        done=words,
        **details,
    )


def _feed_id_of(ask: PageRequest) -> int:
    text = ask.params.get("source", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFound("This source does not exist.")
    return int(text)


def _load_state(connection: Connection, ask: PageRequest) -> FeedState:
    """Return the state of the source in the path. Errors: NotFound."""
    if state := feed_state(connection, _feed_id_of(ask)):
        return state
    raise NotFound("This source does not exist.")


def load_details(connection: Connection, site: Site, ask: PageRequest) -> dict[str, Any]:
    """Return the values for the template of one source. Errors: NotFound."""
    state, now = _load_state(connection, ask), site.now()
    row = _to_row(state, now=now)
    is_due = state.feed.next_poll_at is not None and state.feed.next_poll_at <= now and not state.feed.gone
    is_held = state.blocked_until is not None and state.blocked_until > now
    enabled = state.feed.source.url in {source.url for source in site.settings.active_sources()}
    daemon = read_daemon_status(site.engine)
    is_next = is_due and not is_held and daemon is not None and daemon.is_running
    is_visited = state.feed.host in hosts_being_visited(connection, now=now)
    return {
        "row": row,
        **_load_figures(connection, site, [row]),
        "healths": load_health_changes(connection, row.id, limit=CHANGES),
        "polls": load_polls(connection, row.id, limit=POLLS),
        "latest": latest_of_feed(connection, row.id, limit=PREVIEW),
        "enabled": enabled,
        "next_poll_text": _next_poll_text(state),
        "is_due": is_due and enabled and not site.is_static,
        "held_until": state.blocked_until if is_held else None,
        "is_waiting": enabled and not site.is_static and (is_visited or is_next),
    }


def _next_poll_text(state: FeedState) -> str:
    """Return in words when a feed is polled next, and why not sooner."""
    feed = state.feed
    if feed.gone:
        return "the feed is gone and is not polled any more"
    parts = [f"{format_count(feed.failures, 'failure')} in a row: polled less often"] if feed.failures else []
    if feed.interval_s:
        parts.append(f"every {format_duration(feed.interval_s)}")
    if feed.avg_gap_s:
        parts.append(f"new entries usually every {format_duration(feed.avg_gap_s)}")
    if state.blocked_until and feed.next_poll_at and state.blocked_until > feed.next_poll_at:
        parts.append("its host asked for a pause")
    return "; ".join(parts)


def _poll_now(site: Site, ask: PageRequest) -> PageResponse:
    feed_id = _feed_id_of(ask)
    if not write(site.engine, make_due, feed_id, now=site.now(), min_interval=LEAST_REST):
        raise SettingsError((), "the source was polled less than a minute ago, or is not polled at all")
    return PageResponse(redirect_to=f"/sources/{feed_id}?done=poll")


def _set_paused(site: Site, ask: PageRequest) -> PageResponse:
    """Disable or enable a source in the settings file and in the store, then redirect to its page."""
    state = read(site.engine, _load_state, ask)
    path = _settings_file(site)
    text, settings = read_for_edit(path)
    index = next((index for index, row in enumerate(settings.sources) if row.url == state.feed.source.url), None)
    if index is None:
        raise SettingsError((), "the source is not in the settings file any more")
    is_paused = ask.form.get("paused") == "yes"
    _apply_settings(site, save_settings(path, switch_source(text, index, enabled=not is_paused)))
    return PageResponse(redirect_to=f"/sources/{state.feed.id}?done={'pause' if is_paused else 'resume'}")


def _settings_file(site: Site) -> Path:
    if site.settings.path is None:
        raise SettingsError((), "there is no settings file to change")
    return site.settings.path


def _apply_settings(site: Site, settings: Settings) -> None:
    """Take up settings that were saved: in the store at once, and in the daemon if it serves the site."""
    site.settings = settings
    write(site.engine, sync_sources, settings.active_sources(), now=site.now())
    if site.on_settings:
        site.on_settings()


def _add_page(site: Site, ask: PageRequest) -> PageResponse:
    """
    Return the form that adds a source; once it was sent, with the feeds at its address, and what they would bring.

    For an address in the query, nothing is requested. Errors: SettingsError, WatcherError.
    """
    address, found = (ask.form or ask.query).get("url", "")[:ADDRESS_CHARS].strip(), None
    if ask.form:
        # Late: lxml, 4 MB, which nothing else in this process needs.
        from watcher.web.found_sources import look_for_sources

        _check_may_add(site)
        found = look_for_sources(address, site.settings)
    open_form = f"location.href={json.dumps(f'{ask.base}/sources/add?url=')}+encodeURIComponent(location.href)"
    return render_page(
        site,
        "add_source.html.j2",
        has_form=True,
        address=address,
        may_add=_may_add(site),
        found=found or {"notes": (), "sources": ()},
        bookmarklet=f"javascript:{quote(open_form, safe=JAVASCRIPT_SAFE)}",
    )


def _may_add(site: Site) -> bool:
    """Whether the site knows who asks: otherwise any program and user of this machine could add a source."""
    return bool(site.settings.web.token or site.settings.web.trust_user_header)


def _check_may_add(site: Site) -> None:
    if not _may_add(site):
        raise SettingsError((), "sources can be added here once the site has a token", hint="set [web] token")


def _add_source(site: Site, ask: PageRequest) -> PageResponse:
    """Add the source of a form to the settings file, then redirect to its page. Errors: SettingsError."""
    _check_may_add(site)
    row = source_row(**{name: ask.form.get(name, "") for name in ADDED_FIELDS})
    if not is_web(row.url):  # a mail folder is a path on this machine, or has a login
        raise SettingsError((), "only a feed or a site on the web can be added here")
    settings, known = add_source_row(_settings_file(site), row)
    if known:
        raise SettingsError((), f"already in the settings: {known.source().name}")
    _apply_settings(site, settings)
    state = read(site.engine, feed_state, row.source().url)
    return PageResponse(redirect_to=f"/sources/{state.feed.id}?done=add" if state else "/sources")


def source_paths(site: Site) -> Iterator[str]:
    states = read(site.engine, feed_states)
    yield "/sources"
    yield from (f"/sources/page-{n}" for n in range(2, -(-len(states) // ON_A_PAGE) + 1))
    yield from (f"/sources/{state.feed.id}" for state in states)


SOURCE_PAGES = (
    Page(path="/sources", answer=_all_sources, query=("q",)),
    Page(path="/sources/page-{page}", answer=_all_sources, query=("q",)),
    Page(path="/sources/add", answer=_add_page, query=("url",)),
    Page(path="/sources/add", answer=_add_page, method="POST", cost="poll"),
    Page(path="/sources/add/save", answer=_add_source, method="POST", cost="correct"),
    Page(path="/sources/{source}", answer=_one_source, query=("done",)),
    Page(path="/sources/{source}/poll", answer=_poll_now, method="POST", cost="poll"),
    Page(path="/sources/{source}/pause", answer=_set_paused, method="POST", cost="correct"),
)
