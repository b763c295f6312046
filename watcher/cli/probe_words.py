"""What `sources test` says of a look at a feed: in lines for a person, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from watcher.cli.looking import advice, reason_of, size
from watcher.feeds.health import SILENT_AFTER
from watcher.feeds.inspect import WHOLE_CHARS, Report
from watcher.feeds.schedule import freshness
from watcher.model import Response, Validators
from watcher.text.format import format_age, format_count, format_duration
from watcher.text.language import UNKNOWN, primary_tag

if TYPE_CHECKING:
    from watcher.feeds.schedule import NextPoll
    from watcher.settings.model import SourceSettings
    from watcher.worker.inspect import ProbeResult, Redirect, Revalidation

LABEL = 11  # columns
MOSTLY = 0.8  # share of entries with a whole article from which on `full_text` pays
Row = tuple[str, str]  # label and words


def verdict(look: ProbeResult) -> str:
    """Return in a sentence whether the feed can be used, and what a reader of it should know."""
    report = look.report
    if report is None:
        return reason_of(look)
    told = f'fine: {format_count(len(report.feed.entries), "entry", "entries")} of "{report.feed.title}"'
    buts = [*concerns(report, look.at)]
    return f"{told}, but {', and '.join(buts)}" if buts else f"{told}, newest {newest(report, look.at)}"


def concerns(report: Report, now: datetime) -> Iterator[str]:
    """Yield what keeps a feed that can be read from being of use."""
    entries = report.feed.entries
    if not entries:
        yield "it is empty now"
        return
    if report.newest is None:
        yield "none of them has a date: they would be dated by when they are first seen"
    elif now - report.newest > SILENT_AFTER:
        yield f"the newest is {format_age(now - report.newest).replace(' ago', ' old')}"
    if report.without_link == len(entries):
        yield "none of them has a link"


def lines(
    look: ProbeResult, again: Revalidation | None, when: NextPoll | None, row: SourceSettings | None
) -> list[str]:
    """Return the look for a terminal, the verdict first."""
    told = [verdict(look), ""]
    seen = ""
    for label, words in rows(look, again, when, row):
        told.append(f"{'' if label == seen else label:{LABEL}} {words}".rstrip())
        seen = label
    mend = advice(look)
    return [*told, "", f"try: {mend}"] if mend else told


def rows(
    look: ProbeResult, again: Revalidation | None, when: NextPoll | None, row: SourceSettings | None
) -> Iterator[Row]:
    """Yield what is told, a label and words each."""
    yield "address", look.asked
    if row is not None:
        yield "source", f"{row.source().name} of the settings{'' if row.enabled else ', which do not poll it'}"
    for number, step in enumerate(look.steps):
        yield "redirects", f"{step.status} to {step.leads_to} ({permanence(look.steps[: number + 1])})"
    if look.answer is not None:
        yield "answer", answer_words(look.answer)
    if look.answer is not None and look.report is not None:
        yield from (("validators", words) for words in validators_words(look.answer, again))
        yield from (("freshness", words) for words in freshness_words(look, look.report))
        yield from report_rows(look.report, look.at, told_full_text=bool(row and row.full_text))
    if when is None:
        yield "next poll", "never: the server says that it is gone for good"
    else:
        wait = format_duration((when.at - look.at).total_seconds())
        yield "next poll", f"in {wait}, at {moment(when.at)}: {when.why}"


def permanence(steps: tuple[Redirect, ...]) -> str:
    """Return what becomes of the last of some redirects."""
    if all(step.is_permanent for step in steps):
        return "permanent: would be remembered after two good polls"
    return "permanent, but behind a temporary one: not remembered" if steps[-1].is_permanent else "temporary"


def answer_words(answer: Response) -> str:
    """Return status, type, sizes and time of an answer."""
    kind = answer.header("content-type") or "no Content-Type"
    sent, coding = sent_bytes(answer), answer.header("content-encoding")
    as_sent = f" ({size(sent) if sent is not None else 'fewer'} as sent, {coding})" if coding else ""
    return f"{answer.status}, {kind}, {size(len(answer.body))}{as_sent}, {answer.took_s:.2f} s"


def sent_bytes(answer: Response) -> int | None:
    """Return how many bytes of body came over the wire; None where the answer does not say."""
    length = answer.header("content-length") or ""
    if length.isascii() and length.isdecimal():
        return int(length[:18])
    return None if answer.header("content-encoding") else len(answer.body)


def validators_words(answer: Response, again: Revalidation | None) -> Iterable[str]:
    """Return which validators an answer has, and what its server does with them."""
    given = answer.validators
    names = [f"ETag {given.etag}"] if given.etag else []
    names += [f"Last-Modified {given.last_modified}"] if given.last_modified else []
    sent = sent_bytes(answer)
    cost = f"every poll costs {size(len(answer.body) if sent is None else sent)}"
    if given == Validators() or again is None:
        return [f"none: {cost}"]
    failed = again.error.reason if again.error else ""
    told = {
        "honoured": "honours them: a poll without news costs no body",
        "ignored": f"ignores them: {cost}",
        "changing": f"answers anew each time, with another body: {cost}",
        "unknown": f"not known whether it honours them: the second request failed ({failed})",
    }
    return [", ".join(names), told[use_of(again)]]


def use_of(again: Revalidation) -> str:
    """Return in a word what a server does with its validators."""
    if again.honoured:
        return "honoured"
    return "unknown" if again.error else "ignored" if again.same_body else "changing"


def freshness_words(look: ProbeResult, report: Report) -> Iterable[str]:
    """Return what the answer and the feed say of when to come back, as it is understood."""
    assert look.answer is not None
    feed, told = report.feed, []
    fresh_s = freshness(look.answer.headers, look.at).fresh_s
    headers = [f"{name}: {value}" for name in ("Cache-Control", "Expires") if (value := look.answer.header(name))]
    if headers:
        told.append(
            f"{', '.join(headers)}: " + (f"fresh for {format_duration(fresh_s)}" if fresh_s else "no time to wait")
        )
    if feed.ttl_s:
        told.append(f"the feed asks for {format_duration(feed.ttl_s)} between polls (ttl, sy:updatePeriod)")
    if feed.skip_hours:
        told.append(f"skipHours {', '.join(map(str, feed.skip_hours))} (UTC)")
    if feed.skip_days:
        told.append(f"skipDays {', '.join(day.title() for day in feed.skip_days)}")
    return told or ["nothing said"]


def report_rows(report: Report, now: datetime, *, told_full_text: bool) -> Iterator[Row]:
    """Yield what the feed holds."""
    feed = report.feed
    yield "format", report.format
    yield "title", feed.title or "none"
    yield "language", language_words(report)
    if feed.hub:
        yield "hub", feed.hub
    if feed.entries:
        between = f", from {moment(report.oldest)} to {moment(report.newest)}" if report.oldest else ""
        yield "entries", f"{len(feed.entries)}{between}"
        yield "GUIDs", faults_of((report.without_guid, "missing"), (report.repeated_guids, "repeated"))
        yield "links", faults_of((report.without_link, "missing"), (report.repeated_links, "repeated"))
        yield (
            "dates",
            faults_of((report.undated, "missing"), (report.unreadable, "absurd"), (report.ahead, "ahead")),
        )
        yield "texts", texts_words(report, told_full_text=told_full_text)
    yield from (("faults", fault) for fault in feed.faults)


def language_words(report: Report) -> str:
    """Return the language that a feed says and the one that its entries read as."""
    said, read = report.feed.language, report.language
    if read == UNKNOWN:
        return said or "not said, and nothing to tell it by"
    if said is None:
        return f"{read}, by its entries; the feed does not say"
    return said if primary_tag(said) == read else f"{read}, by its entries; the feed says {said}"


def texts_words(report: Report, *, told_full_text: bool) -> str:
    """Return how many entries carry a whole article, and what follows from it."""
    count = len(report.feed.entries)
    told = f"{report.whole} of {count} whole ({WHOLE_CHARS:,} characters or more); the usual has {report.usual_chars:,}"
    if report.whole >= MOSTLY * count and not told_full_text:
        return f"{told}; with full_text = true no pages need to be fetched"
    if report.whole < (1 - MOSTLY) * count and told_full_text:
        return f"{told}; full_text = true in the settings keeps to these"
    return told


def faults_of(*counts: tuple[int, str]) -> str:
    """Return the counts that are not nothing, "ok" if none is."""
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "ok"


def newest(report: Report, now: datetime) -> str:
    """Return how old the newest entry is."""
    return format_age(now - report.newest) if report.newest else "undated"


def moment(at: datetime | None) -> str:
    """Return a time for a person."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "-"


def as_json(
    look: ProbeResult, again: Revalidation | None, when: NextPoll | None, row: SourceSettings | None
) -> dict[str, Any]:
    """Return the look as JSON has it; what is not known is null."""
    answer = look.answer
    return {
        "url": look.asked,
        "source": row.source().name if row else None,
        "usable": look.report is not None,
        "verdict": verdict(look),
        "advice": advice(look),
        "redirects": [{"status": s.status, "url": s.url, "to": s.leads_to} for s in look.steps],
        "answer": answer_json(answer, again) if answer else None,
        "feed": report_json(look.report) if look.report else None,
        "fresh_s": freshness(answer.headers, look.at).fresh_s if answer else None,
        "next_poll": {"at": iso(when.at), "in_s": round((when.at - look.at) / timedelta(seconds=1)), "why": when.why}
        if when
        else None,
    }


def answer_json(answer: Response, again: Revalidation | None) -> dict[str, Any]:
    """Return an answer's head as JSON has it."""
    return {
        "url": answer.url,
        "moved_to": answer.moved_to,
        "status": answer.status,
        "content_type": answer.header("content-type"),
        "content_encoding": answer.header("content-encoding"),
        "sent_bytes": sent_bytes(answer),
        "bytes": len(answer.body),
        "took_s": round(answer.took_s, 3),
        **asdict(answer.validators),
        "validators": use_of(again) if again else "none" if answer.validators == Validators() else None,
        "cache_control": answer.header("cache-control"),
        "expires": answer.header("expires"),
    }


def report_json(report: Report) -> dict[str, Any]:
    """Return what a feed holds as JSON has it."""
    feed = report.feed
    return {
        "format": report.format,
        "title": feed.title,
        "link": feed.link,
        "language": report.language,
        "language_said": feed.language,
        "hub": feed.hub,
        "ttl_s": feed.ttl_s,
        "skip_hours": list(feed.skip_hours),
        "skip_days": list(feed.skip_days),
        "entries": len(feed.entries),
        "oldest": iso(report.oldest),
        "newest": iso(report.newest),
        **{name: getattr(report, name) for name in COUNTS},
        "faults": list(feed.faults),
    }


COUNTS = (
    "sent", "without_guid", "repeated_guids", "without_link", "repeated_links", "undated", "unreadable", "ahead",
    "whole", "usual_chars",
)  # fmt: skip


def iso(at: datetime | None) -> str | None:
    """Return a time as text."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
