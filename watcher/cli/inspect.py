"""`watcher sources test`: fetches one feed and reports on it, without the store."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import datetime
from itertools import chain, repeat
from shlex import quote
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, settings_or_defaults
from watcher.cli.output import (
    Row,
    format_bytes,
    format_minute,
    format_rows,
    print_progress,
    print_result,
    select_fields,
)
from watcher.cli.sources import find_source
from watcher.errors import HttpStatusError, RequestRefused, SettingsError, TimedOut, TooLarge, Unreachable
from watcher.failure_messages import FeedKind, FetchKind
from watcher.feeds.health import HINTS, STATUS_HINTS
from watcher.feeds.inspect import FeedReport, NotAFeed
from watcher.feeds.page import PAGE
from watcher.feeds.schedule import NextPoll
from watcher.model import Response, Validators
from watcher.net.freshness import parse_freshness
from watcher.settings.models import Settings, SourceSettings
from watcher.text.format import format_count, format_duration
from watcher.text.language import UNKNOWN_LANGUAGE, primary_tag
from watcher.text.urls import DEFAULT_PORTS
from watcher.worker.inspect import ProbeResult, Redirect, Revalidation, open_prober, predict_next_poll
from watcher.worker.proposals import candidate_urls, describe_texts, failure_reason, find_problems, newest_entry_age

INSPECT_LABEL_CHARS = 11
SHOWN_ITEMS = 10  # of a page
FETCH_ADVICE = HINTS | {FetchKind.CONNECTION_REFUSED: "check host and port: nothing listens there"}
STATUS_ADVICE = STATUS_HINTS | {429: "wait, and request it less often"}


def probe_source(
    source: Annotated[str, typer.Argument(metavar="URL|NAME", help="Address of a feed, or name of a source.")],
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Fetch a feed and report on it: redirects, validators, freshness, entries, and when it would be polled.

    Nothing is stored, and the feed does not have to be in the settings. Exit code 1 if it cannot be used.
    """
    settings = settings_or_defaults(config)
    urls, row = _resolve_target(settings, source)
    look, again = asyncio.run(_probe_target(urls, settings))
    next_poll = predict_next_poll(look, settings.poll, own_every_s=row.source().every_s if row else None)
    values = _probe_to_json(look, again, next_poll, name=row.source().name if row else None)
    lines = chain(
        (_summary_sentence(look), ""), format_rows(_probe_rows(look, again, next_poll, row), width=INSPECT_LABEL_CHARS)
    )
    hint = find_hint(look)
    print_result(values, chain(lines, ("", f"try: {hint}") if hint else ()), json=json)
    return FAILED if failure_reason(look) else DONE


def _resolve_target(settings: Settings, typed: str) -> tuple[tuple[str, ...], SourceSettings | None]:
    """Return the URLs for a typed name or address, and the settings row if it is a source. Errors: SettingsError."""
    try:
        row = settings.sources[find_source(settings, typed)]
    except SettingsError as unknown:
        if any(row.source().name.casefold() == typed.casefold() for row in settings.sources):
            raise  # several sources have this name
        try:
            return candidate_urls(typed), None
        except SettingsError as error:
            raise (unknown if settings.sources and "://" not in typed else error) from None
    return (row.url,), row


async def _probe_target(urls: tuple[str, ...], settings: Settings) -> tuple[ProbeResult, Revalidation | None]:
    """Return the result for the first URL that works, and that of a second, conditional request if it is a feed."""
    async with open_prober(settings, print_progress) as looker:
        look = await looker.probe_first(urls)
        return look, await looker.revalidate(look) if look.report else None


def _summary_sentence(probe: ProbeResult) -> str:
    """Return the verdict on a feed in one sentence."""
    report = probe.report
    if report is None:
        return failure_reason(probe)
    sentence = f'OK: {format_count(len(report.feed.entries), "entry", "entries")} of "{report.feed.title}"'
    buts = ", and ".join(find_problems(report, probe.at))
    return f"{sentence}, but {buts}" if buts else f"{sentence}, newest {newest_entry_age(report, probe.at)}"


def _probe_rows(
    probe: ProbeResult, again: Revalidation | None, next_poll: NextPoll | None, row: SourceSettings | None
) -> Iterator[Row]:
    """
    Yield the rows of the report; `again` is the result of a second, conditional request, `row` the source's settings.
    """
    response = probe.response
    yield "address", probe.asked
    if row is not None:
        yield "source", f"{row.source().name} in the settings{'' if row.enabled else ', paused'}"
    steps = [
        f"{step.status} to {step.leads_to} ({_redirect_kind(probe.redirects[:n])})"
        for n, step in enumerate(probe.redirects, 1)
    ]
    yield from _label_first("redirects", steps)
    if response is not None:
        yield "response", _format_response(response)
    if (folder := probe.folder) is not None:
        size = format_bytes(sum(map(len, folder.mails)))
        yield "mails", f"{len(folder.mails):,}, {size} as sent, {folder.took_s:.2f} s"
    if response is not None and probe.report is not None:
        yield from _label_first("validators", _format_validators(response, again))
        yield from _label_first("freshness", _format_freshness(response, probe.report, probe.at))
    if probe.report is not None:
        yield from entry_rows(probe.report, wants_full_text=bool(row and row.full_text))
    if next_poll is None:
        yield "next poll", "never: the server says that the feed is gone permanently"
    else:
        wait = format_duration((next_poll.at - probe.at).total_seconds())
        yield "next poll", f"in {wait}, at {format_minute(next_poll.at)}: {next_poll.why}"


def _label_first(label: str, texts: Iterable[str]) -> Iterator[Row]:
    yield from zip(chain([label], repeat("")), texts, strict=False)


def _redirect_kind(steps: tuple[Redirect, ...]) -> str:
    """Return a description of the last of `steps`: permanent or temporary, and whether it would be remembered."""
    if all(step.is_permanent for step in steps):
        return "permanent: would be remembered after two successful polls"
    return "permanent, but after a temporary one: not remembered" if steps[-1].is_permanent else "temporary"


def _format_response(response: Response) -> str:
    kind = response.header("content-type") or "no Content-Type"
    sent, coding = _sent_bytes(response), response.header("content-encoding")
    as_sent = f" ({format_bytes(sent) if sent is not None else 'less'} as sent, {coding})" if coding else ""
    return f"{response.status}, {kind}, {format_bytes(len(response.body))}{as_sent}, {response.took_s:.2f} s"


def _sent_bytes(response: Response) -> int | None:
    """Return the size of the body as transferred, in bytes; None if it was compressed without Content-Length."""
    length = response.header("content-length") or ""
    if length.isascii() and length.isdecimal():
        return int(length[:18])
    return None if response.header("content-encoding") else len(response.body)


def _format_validators(response: Response, again: Revalidation | None) -> Iterable[str]:
    """
    Return a line with the validators of a response, and one on whether the server supports them.

    `again`: the outcome of a second request with them; None if the response has none.
    """
    validators = response.validators
    names = [f"ETag {validators.etag}"] if validators.etag else []
    names += [f"Last-Modified {validators.last_modified}"] if validators.last_modified else []
    sent = _sent_bytes(response)
    cost = f"every poll transfers {format_bytes(len(response.body) if sent is None else sent)}"
    if again is None:
        return [f"none: {cost}"]
    failed = again.error.reason if again.error else ""
    support_words = {
        "honoured": "the server honours them: a poll without news transfers no body",
        "ignored": f"the server ignores them: {cost}",
        "changing": f"the body changes with every request: {cost}",
        "unknown": f"it is unknown whether the server honours them: the second request failed ({failed})",
    }
    return [", ".join(names), support_words[again.support]]


def _format_freshness(response: Response, report: FeedReport, now: datetime) -> Iterable[str]:
    """Return what response and feed say about how long they stay fresh."""
    feed, parts = report.feed, []
    fresh_s = parse_freshness(response.headers, now).fresh_s
    headers = [f"{name}: {value}" for name in ("Cache-Control", "Expires") if (value := response.header(name))]
    if headers:
        fresh = f"fresh for {format_duration(fresh_s)}" if fresh_s else "not fresh for any time"
        parts.append(f"{', '.join(headers)}: {fresh}")
    if feed.ttl_s:
        parts.append(f"the feed asks for {format_duration(feed.ttl_s)} between polls (ttl, sy:updatePeriod)")
    if feed.skip_hours:
        parts.append(f"skipHours {', '.join(map(str, feed.skip_hours))} (UTC)")
    if feed.skip_days:
        parts.append(f"skipDays {', '.join(day.title() for day in feed.skip_days)}")
    return parts or ["not stated"]


def entry_rows(report: FeedReport, *, wants_full_text: bool) -> Iterator[Row]:
    """Yield the rows on a feed's content: title, language, entries, dates and texts."""
    feed = report.feed
    yield "format", report.format
    yield "title", feed.title or "none"
    yield "language", _format_language(report)
    if feed.hub:
        yield "hub", feed.hub
    if feed.entries:
        between = f", from {format_minute(report.oldest)} to {format_minute(report.newest)}" if report.oldest else ""
        yield "entries", f"{len(feed.entries)}{between}"
        yield "GUIDs", format_counts((report.without_guid, "missing"), (report.repeated_guids, "repeated"))
        yield "links", format_counts((report.without_link, "missing"), (report.repeated_links, "repeated"))
        dates = ((report.undated, "missing"), (report.unreadable, "implausible"), (report.ahead, "in the future"))
        yield "dates", format_counts(*dates)
        yield "texts", describe_texts(report, wants_full_text=wants_full_text)
        if report.format == PAGE:
            yield from _label_first("items", format_items(report))
    yield from _label_first("problems", feed.faults)


def format_items(report: FeedReport) -> Iterator[str]:
    """Yield date, title and link of the first items of a page."""
    for entry in report.feed.entries[:SHOWN_ITEMS]:
        yield f"{format_minute(entry.published_at) if entry.published_at else 'no date'}  {entry.title}  {entry.url}"


def _format_language(report: FeedReport) -> str:
    """Return the language that a feed states, and the one that its entries are in if that is another."""
    stated, read = report.feed.language, report.language
    if read == UNKNOWN_LANGUAGE:
        return stated or "not stated, and not detected"
    if stated is None:
        return f"{read}, detected from its entries; the feed states none"
    return stated if primary_tag(stated) == read else f"{read}, detected from its entries; the feed states {stated}"


def format_counts(*counts: tuple[int, str]) -> str:
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "ok"


def _probe_to_json(
    probe: ProbeResult, again: Revalidation | None, next_poll: NextPoll | None, *, name: str | None
) -> dict[str, Any]:
    """Return the report on a feed for JSON."""
    response = probe.response
    wait_s = round((next_poll.at - probe.at).total_seconds()) if next_poll else None
    return {
        "url": probe.asked,
        "source": name,
        "usable": probe.report is not None,
        "verdict": _summary_sentence(probe),
        "advice": find_hint(probe),
        "redirects": [{"status": step.status, "url": step.url, "to": step.leads_to} for step in probe.redirects],
        "answer": _response_to_json(response, again) if response else None,
        "feed": _report_to_json(probe.report) if probe.report else None,
        "fresh_s": parse_freshness(response.headers, probe.at).fresh_s if response else None,
        "next_poll": {"at": next_poll.at, "in_s": wait_s, "why": next_poll.why} if next_poll else None,
    }


def _response_to_json(response: Response, again: Revalidation | None) -> dict[str, Any]:
    """Return a response for JSON."""
    return {
        **select_fields(response, "url", "moved_to", "status"),
        "content_type": response.header("content-type"),
        "content_encoding": response.header("content-encoding"),
        "sent_bytes": _sent_bytes(response),
        "bytes": len(response.body),
        "took_s": round(response.took_s, 3),
        **asdict(response.validators),
        "validators": again.support if again else "none" if response.validators == Validators() else None,
        "cache_control": response.header("cache-control"),
        "expires": response.header("expires"),
    }


def _report_to_json(report: FeedReport) -> dict[str, Any]:
    feed = report.feed
    stated = select_fields(feed, "title", "link", "hub", "ttl_s", "skip_hours", "skip_days")
    counts = select_fields(report, *(field.name for field in fields(report) if field.name != "feed"))
    return {**stated, "language_said": feed.language, "entries": len(feed.entries), **counts, "faults": feed.faults}


def find_hint(probe: ProbeResult) -> str | None:
    """Return a hint on what to do if there is no feed, None if there is nothing to do."""
    error = probe.error
    url = probe.redirects[-1].leads_to if probe.redirects else probe.asked
    if isinstance(error, HttpStatusError):
        url = error.answered_by
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
    if isinstance(probe.found, NotAFeed):
        if probe.found.reason.kind is FeedKind.OPML:
            return "save it to a file, then: watcher sources import FILE"
        # Its list of articles may be the source, or the page links the feed.
        page = probe.response.url if probe.response else site
        return None if probe.found.reason.kind is FeedKind.BOT_WALL else f"watcher sources discover {quote(page)}"
    if isinstance(error, RequestRefused) and error.kind is FetchKind.PRIVATE_ADDRESS:
        host, port = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname, parts.port
        place = f"{host}:{port or DEFAULT_PORTS[parts.scheme]}"
        is_own = parts.hostname == urlsplit(probe.asked).hostname
        return f'allow it in the settings: [fetch] allow_private = ["{place}"]' if is_own else None
    if isinstance(error, Unreachable | RequestRefused | TooLarge):
        return FETCH_ADVICE.get(error.kind)
    if isinstance(error, TimedOut):
        return "wait, or raise [fetch] timeout and deadline: they set how long a response may take"
    if isinstance(error, HttpStatusError):
        if error.retry_after_s:
            return f"wait {format_duration(error.retry_after_s)}, as the server asks (Retry-After)"
        if error.status in (404, 410) and parts.path not in ("", "/"):
            return f"watcher sources discover {quote(site)}"
        return STATUS_ADVICE.get(error.status, "wait, then repeat the command" if error.status >= 500 else None)
    return None
