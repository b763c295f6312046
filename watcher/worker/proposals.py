"""The sources that a discovery found: as rows for the settings, and in words."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from watcher.errors import FetchError, SettingsError
from watcher.failure_messages import FeedKind, HealthKind
from watcher.feeds.discover import is_comment_feed
from watcher.feeds.health import MIN_SILENCE
from watcher.feeds.inspect import WHOLE_CHARS, FeedReport, NotAFeed
from watcher.feeds.mail import MAIL_FORMAT
from watcher.feeds.sitemap import SITEMAP_FORMATS
from watcher.settings.edit import source_row
from watcher.settings.models import SourceSettings
from watcher.settings.types import language_tag
from watcher.text.format import format_age, format_count
from watcher.text.language import UNKNOWN_LANGUAGE, primary_tag
from watcher.text.urls import is_mail, is_web
from watcher.worker.inspect import Discovery, FeedCandidate, ProbeResult

UNREADABLE_KINDS = (FeedKind.BOT_WALL, HealthKind.ASKED_AT)  # kinds of responses that are no page to look for links on
MOSTLY_WHOLE_SHARE = 0.8  # share of entries with a whole article from which on `full_text` is suggested
WAYS = {
    "itself": "the address itself is a feed",
    "platform": "the feed that the platform has for this address",
    "declared": "declared by the page",
    "linked": "linked from the page",
    "guessed": "at a common address",
    "sitemap": "a news sitemap that robots.txt names",
}


def candidate_urls(text: str) -> tuple[str, ...]:
    """Return the URLs that `text` may mean, the likeliest first: https, but http with a port. Errors: SettingsError."""
    typed = text.strip()
    if typed.lower().startswith("feed:"):
        typed = typed[len("feed:") :].removeprefix("//")
    if is_web(typed) or is_mail(typed):
        return (typed,)
    if "://" not in typed and not any(c.isspace() for c in typed):
        urls = (f"https://{typed}", f"http://{typed}")
        host = urlsplit(urls[0]).hostname if is_web(urls[0]) else None
        if host and ("." in host or ":" in typed or host == "localhost"):
            return urls if urlsplit(urls[0]).port in (None, 443) else urls[::-1]
    hint = "an address starts with https:// or http://, or is a name such as example.org"
    raise SettingsError((), f"{text}: not the address of a site or feed", hint=hint)


def feeds_of_articles(discovery: Discovery) -> tuple[FeedCandidate, ...]:
    """Return the feeds that were found, without those of comments unless there are no others."""
    return tuple(feed for feed in discovery.feeds if not is_comment_feed(feed.url)) or discovery.feeds


def feed_row(feed: FeedCandidate, given: Mapping[str, Any] | None = None) -> SourceSettings:
    """Return a source of a feed, with the fields `given` where they are not empty. Errors: SettingsError."""
    assert feed.report
    name, tag = default_name_and_language(feed.report)
    fields = {"name": name, "language": language_tag(tag)} | {key: at for key, at in (given or {}).items() if at}
    return source_row(**fields | {"url": feed.url})


def list_row(discovery: Discovery) -> SourceSettings:
    """Return a source of the page itself and its list of articles."""
    assert discovery.items
    name, tag = default_name_and_language(discovery.items[1])
    return source_row(url=discovery.page.asked, name=name, language=language_tag(tag), **asdict(discovery.items[0]))


def default_name_and_language(report: FeedReport) -> tuple[str, str]:
    """Return name and language for a source with this feed, each "" if unknown."""
    stated, read = report.feed.language, report.language
    tag = stated if stated and primary_tag(stated) in (read, None) else read
    return report.feed.title[:200].strip(), "" if tag == UNKNOWN_LANGUAGE else tag


def find_problems(report: FeedReport, now: datetime) -> Iterator[str]:
    """Yield the problems of a readable feed: no entries, no dates, nothing new, no links."""
    entries = report.feed.entries
    if not entries:
        old = f"it has {format_count(report.sent, 'entry', 'entries')}, all older than two days"
        yield old if report.sent and report.format in SITEMAP_FORMATS else "it is empty at the moment"
        return
    if report.newest is None:
        yield "no entry has a date: each would get the time when it is first seen"
    elif now - report.newest > MIN_SILENCE:
        yield f"the newest is {format_age(now - report.newest).replace(' ago', ' old')}"
    if report.without_link == len(entries) and report.format != MAIL_FORMAT:
        yield "no entry has a link"


def describe_entries(report: FeedReport, now: datetime) -> str:
    entries = format_count(len(report.feed.entries), "entry", "entries")
    return f"{report.format}, {entries}, newest {newest_entry_age(report, now)}, language {report.language}"


def newest_entry_age(report: FeedReport, now: datetime) -> str:
    return format_age(now - report.newest) if report.newest else "undated"


def describe_texts(report: FeedReport, *, wants_full_text: bool) -> str:
    """Return in words how many entries of a feed have their full text."""
    count = len(report.feed.entries)
    line = f"{report.whole} of {count} are full ({WHOLE_CHARS:,} characters or more); median {report.usual_chars:,}"
    if report.whole >= MOSTLY_WHOLE_SHARE * count and not wants_full_text:
        return f"{line}; with full_text = true no pages need to be fetched"
    if report.whole < (1 - MOSTLY_WHOLE_SHARE) * count and wants_full_text:
        return f"{line}; with full_text = true in the settings, articles have only these texts"
    return line


def no_feed_message(discovery: Discovery) -> str:
    """Return in words that no feed was found at an address, and where it was looked for."""
    page = discovery.page
    if page.response is None or (isinstance(page.found, NotAFeed) and page.found.reason.kind in UNREADABLE_KINDS):
        return f"no feed found at {page.asked}: {failure_reason(page)}"
    linked = [candidate for candidate in discovery.candidates if candidate.found_by != "guessed"]
    words = "no feed that its page links to can be read" if linked else "its page links to none"
    guessed = any(candidate.found_by == "guessed" for candidate in discovery.candidates)
    return f"no feed found at {page.asked}: {words}" + (", and none is at a common address" if guessed else "")


def failure_reason(probe: ProbeResult) -> str:
    """Return a description of why there is no feed, "" if there is one."""
    if isinstance(probe.found, NotAFeed):
        return str(probe.found.reason)
    if isinstance(probe.error, FetchError):
        return str(probe.error.reason)
    return f"parsing the feed {probe.error}" if probe.error else ""
