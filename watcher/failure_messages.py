"""Reasons why a feed was not read or a page gave no article: kinds with values, and their sentences in English."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from watcher.text.encoding import replace_surrogates
from watcher.text.urls import hide_secrets


class _Kind(StrEnum):
    """A kind of reason. `sentence` is a format string; "one|other" holds singular and plural for the value `n`."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Self:
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.sentence = sentence
        return kind


class FetchKind(_Kind):
    """Why a request got no usable response, or was not made."""

    TIMED_OUT = "timed_out", "no response within {time} s"
    DEADLINE = "deadline", "no complete response within {time} s"
    TOO_LARGE = "too_large", "larger than {n:,} bytes"
    HEADERS_TOO_LARGE = "headers_too_large", "headers larger than {n:,} bytes"
    NOT_HTTP = "not_http", "the response is not HTTP, or is incomplete ({detail})"
    BODY_CUT = "body_cut", "the compressed body is incomplete"
    BODY_DAMAGED = "body_damaged", "the compressed body is damaged ({detail})"
    BODY_IN_PIECES = "body_in_pieces", "the body arrives in too many pieces"
    UNKNOWN_CODING = "unknown_coding", "a content coding that was not offered: {detail}"
    PRIVATE_ADDRESS = "private_address", "a private address: {addresses}"
    UNRESOLVED = "unresolved", "the name {host} does not resolve"
    NAME_LOOKUP_FAILED = "name_lookup_failed", "the name {host} does not resolve: no DNS server answers"
    CERTIFICATE = "certificate", "its certificate is not valid ({detail})"
    TLS = "tls", "TLS connection failed ({detail})"
    CONNECTION_REFUSED = "connection_refused", "connection refused"
    CONNECTION_RESET = "connection_reset", "connection reset by peer"
    NO_ROUTE = "no_route", "no route to host"
    NETWORK_UNREACHABLE = "network_unreachable", "network is unreachable"
    NETWORK_DOWN = "network_down", "network is down"
    BROKEN_PIPE = "broken_pipe", "connection interrupted (broken pipe)"
    CONNECTION_BROKEN = "connection_broken", "connection failed ({detail})"
    PROXY = "proxy", "the proxy {proxy} cannot be reached ({why})"
    REDIRECT_LOOP = "redirect_loop", "redirects in a loop, back to {url}"
    TOO_MANY_REDIRECTS = "too_many_redirects", "more than {n:,} redirects"
    REDIRECT_TOO_LONG = "redirect_too_long", "redirects to a URL of more than {n:,} characters"
    REDIRECT_INVALID = "redirect_invalid", "redirects to an invalid URL ({detail})"
    WRONG_SCHEME = "wrong_scheme", "only http and https are supported, not {scheme}: {url}"
    URL_WITHOUT_HOST = "url_without_host", "a URL without a host: {url}"
    INVALID_URL = "invalid_url", "not a valid URL ({detail})"
    UNUSABLE_URL = "unusable_url", "a URL that cannot be requested ({detail})"
    SECRET_UNREADABLE = "secret_unreadable", "a secret for the request cannot be used ({detail})"
    MAIL_LOGIN = "mail_login", "the mail server refuses the user or the password ({detail})"
    NO_MAIL_FOLDER = "no_mail_folder", "the mail folder {folder} cannot be opened ({detail})"
    STATUS = "status", "{status} {phrase}"
    STATUS_BOT_WALL = "status_bot_wall", "{status} {phrase}, a bot wall ({wall})"
    ABORTED = "aborted", "cancelled"
    HOST_NOT_ASKED = "host_not_asked", "not requested: {host} answered {why}"
    ROBOTS_FORBID = "robots_forbid", "robots.txt forbids the page"
    ROBOTS_UNREACHABLE = "robots_unreachable", "robots.txt cannot be reached"
    ROBOTS_UNREADABLE = "robots_unreadable", "robots.txt cannot be read"
    ROBOTS_STATUS = "robots_status", "robots.txt answered {status}"


class FeedKind(_Kind):
    """Why bytes are not a feed: what they are instead."""

    EMPTY = "empty", "empty, not a feed"
    BOT_WALL = "bot_wall", "a bot wall ({wall}), not a feed"
    HTML = "html", "an HTML page, not a feed"
    HTML_WITH_FEEDS = "html_with_feeds", "an HTML page, not a feed; it links to these feeds: {feeds}"
    PDF = "pdf", "a PDF file, not a feed"
    PICTURE = "picture", "a picture, not a feed"
    ZIP = "zip", "a zip file, not a feed"
    GZIP = "gzip", "a gzip file, not a feed"
    GZIP_TOO_LARGE = "gzip_too_large", "a gzip file larger than {n:,} bytes when unpacked"
    BINARY = "binary", "binary data, not a feed"
    XML = "xml", "XML, but not a feed"
    XML_ROOT = "xml_root", "XML, but not a feed: its root is <{root}>"
    SITEMAP = "sitemap", "XML, but not a feed: its root is <{root}>, a sitemap"
    OPML = "opml", "XML, but not a feed: its root is <{root}>, a list of feeds to import"
    SVG = "svg", "XML, but not a feed: its root is <{root}>, a picture"
    BROKEN_XML = "broken_xml", "XML with errors that cannot be repaired ({detail})"
    BROKEN_JSON = "broken_json", "invalid JSON ({detail})"
    JSON_TOO_DEEP = "json_too_deep", "JSON nested too deep"
    JSON_WITHOUT_ITEMS = "json_without_items", "JSON, but not a JSON Feed: it has no list of items"
    OTHER_JSON = "other_json", "JSON, but not a JSON Feed: it has neither the version nor the items of one"
    OTHER_TEXT = "other_text", "neither XML nor JSON: it starts with {sample}"
    NO_ITEMS = "no_items", 'items = "{selector}" finds nothing on this page; it may have been redesigned'
    NO_LINKS = "no_links", 'items = "{selector}" finds no links on this page; it may have been redesigned'


class PageKind(_Kind):
    """Why a page gave no text: the feed's own is used instead, or the article is its headline alone."""

    EMPTY_PAGE = "empty_page", "the page is empty"
    ROBOT_CHECK = "robot_check", "a check for robots blocks the article"
    MISSING = "missing", "the page says that it does not exist"
    CONSENT_WALL = "consent_wall", "a consent wall blocks the article"
    NEEDS_JAVASCRIPT = "needs_javascript", "the page shows nothing without JavaScript"
    PAYWALL = "paywall", "the article is for subscribers only"
    NO_TEXT = "no_text", "the page has almost no text"
    OTHER_SUBJECT = "other_subject", "the page is about another subject than the feed's entry"
    OTHER_PAGE = "other_page", "the page redirects to another one: {url}"
    FRONT_PAGE = "front_page", "it redirects to the front page"
    TOO_MANY_HOSTS = "too_many_hosts", "redirects over too many hosts"
    NOT_FETCHED = "not_fetched", "the feed has too little text, and pages are not fetched"
    NO_LINK = "no_link", "the feed has too little text, and the entry has no link"
    FEED_TEXT_LONGER = "feed_text_longer", "the feed has more of the text than the page"


class TaskKind(_Kind):
    """What went wrong on our side."""

    PARSING = "parsing", "parsing the feed {why}"
    CLEANING = "cleaning", "cleaning the page {why}"
    EMBEDDING = "embedding", 'embedder "{embedder}" {why}'
    READING_FEED_TEXT = "reading_feed_text", "reading the feed's text {why}"
    TOO_LONG = "too_long", "took more than {time} s and was stopped"
    TOO_MUCH_MEMORY = "too_much_memory", "took more than {n:,} MiB of memory"
    PROCESS_DIED = "process_died", "crashed its process (exit code {code})"
    NO_DESCRIPTORS = "no_descriptors", "no file descriptors are left, so no connection can be opened"
    NO_PROCESSES = "no_processes", "no process can be started ({detail})"
    INTERNAL_ERROR = "internal_error", "an error in Watcher ({detail})"


class HealthKind(_Kind):
    """The findings on a source's health; `why` is the reason of its last failure."""

    NEVER_POLLED = "never_polled", "not polled yet"
    NEVER_AN_ENTRY = "never_an_entry", "the feed can be read, but has never had an entry"
    SLOW = "slow", "its responses take {time} s"
    CUT = "cut", "read in part: the feed ends in the middle"
    UNDATED = "undated", "its entries have no dates; they get the time when they were first seen"
    MOVED = "moved", "moved permanently to {url}: change the URL in the settings"
    MOVING = "moving", "reports a permanent move to {url}; it is polled there after the next successful poll"
    MOVED_TO = "moved_to", "{url}"
    HELD = "held", "its host asked for a pause, or cannot be reached: not polled until {time}"
    SILENT = "silent", "nothing new for {n:,} day|nothing new for {n:,} days"
    GONE = "gone", "gone permanently: {why}"
    FOR_DAYS = "for_days", "for {n:,} day: {why}|for {n:,} days: {why}"
    FOR_HOURS = "for_hours", "for {n:,} hour: {why}|for {n:,} hours: {why}"
    FOR_MINUTES = "for_minutes", "for {n:,} minute: {why}|for {n:,} minutes: {why}"
    ASKED_AT = "asked_at", "{why}, polled at {site}"


ReasonKind = FetchKind | FeedKind | PageKind | TaskKind | HealthKind
KINDS: dict[str, ReasonKind] = {
    kind.value: kind for group in (FetchKind, FeedKind, PageKind, TaskKind, HealthKind) for kind in group
}


@dataclass(frozen=True, slots=True, init=False)
class Reason:
    """A kind and the values of its sentence; passwords and keys in URLs are removed from the values."""

    kind: ReasonKind
    values: tuple[tuple[str, str | int | Reason], ...]

    def __init__(self, kind: ReasonKind, /, **values: str | int | Reason) -> None:
        object.__setattr__(self, "kind", kind)
        shown = (
            (k, replace_surrogates(hide_secrets(v)) if isinstance(v, str) else v) for k, v in sorted(values.items())
        )
        object.__setattr__(self, "values", tuple(shown))

    def __str__(self) -> str:
        one, _, other = self.kind.sentence.partition("|")
        values = dict(self.values)
        return (other if other and values["n"] != 1 else one).format(**values)

    def __getitem__(self, name: str) -> str | int | Reason | None:
        """Return the value `name`, None if there is no such value."""
        return dict(self.values).get(name)

    def to_json(self) -> str:
        """Return kind and values as one line of JSON; equal reasons give equal lines."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Reason:
        return cls.from_dict(json.loads(text))

    def to_dict(self) -> dict[str, object]:
        return {"kind": str(self.kind)} | {k: v.to_dict() if isinstance(v, Reason) else v for k, v in self.values}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Reason:
        """Return the reason that `to_dict` wrote. Errors: KeyError for an unknown kind."""
        values = {k: cls.from_dict(v) if isinstance(v, dict) else v for k, v in row.items() if k != "kind"}
        return cls(KINDS[row["kind"]], **values)
