"""Converts the raw entries of the feed parsers to `Entry`: GUIDs, absolute links, plausible dates, safe text."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from watcher.feeds.html_text import escaped_html_to_text, has_markup, html_to_text
from watcher.feeds.repeated_endings import drop_repeated_endings
from watcher.model import Entry, SitemapPart
from watcher.text.plain_text import strip_control_chars, to_one_line, truncate
from watcher.text.timestamps import parse_timestamp
from watcher.text.urls import hide_secrets, is_web, normalize_url

GUID_CHARS = 1_000
URL_CHARS = 4_000
MAX_AUTHOR_CHARS = 200
SENTENCE_CHARS = 120  # of the sentence that stands for a missing title
LONG_SUMMARY = 500  # characters: a longer summary, or one with markup, is used as the text
TEXT_CHARS = 500_000
MAX_WRAPPED_CHARS = 100  # of a line that a program has wrapped: if one is longer, each is a paragraph
IN_URLS = "!#$%&'()*+,-./:;=?@[]_~|"
EARLIEST_ENTRY = datetime(1990, 1, 1, tzinfo=UTC)  # earlier dates are defaults, such as 1970
MAX_ENTRY_AHEAD = timedelta(days=1)  # tolerance for wrong time zones
MAX_AUTHORS = 50  # of one entry


@dataclass(frozen=True, slots=True, kw_only=True)
class RawText:
    """A text and whether it is markup."""

    value: str = ""
    is_html: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """One item as parsed, before normalisation. Links may be relative; of several dates the first valid one counts."""

    guid: str = ""
    links: tuple[str, ...] = ()  # best first
    title: RawText = RawText()
    summary: RawText = RawText()
    content: RawText = RawText()
    authors: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFeed:
    """A feed as parsed, before normalisation. `base` is the base URL of relative links, "" if the feed names none."""

    format: str = ""  # "RSS 2.0", "Atom 1.0", "JSON Feed 1.1"
    title: RawText = RawText()
    link: str = ""
    base: str = ""
    language: str = ""
    hub: str = ""
    ttl_s: float | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()
    entries: tuple[RawEntry, ...] = ()
    parts: tuple[SitemapPart, ...] = ()  # of a sitemap index
    faults: tuple[str, ...] = ()
    is_cut: bool = False  # its end is missing


def to_text(value: object) -> str:
    """Return a string unchanged, a number as its digits, and "" for any other value."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if abs(value) < 1e21 else ""
    return ""


def dicts_only(value: object) -> list[dict[str, Any]]:
    """Return copies of the dictionaries in a list as plain dicts; empty if `value` is not a list."""
    return [dict(row) for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def is_oldest_first(dates: Iterable[str]) -> bool:
    """Whether a feed lists its oldest entries first, by the dates of its entries as they are written."""
    written = [date for date in dates if date[:4].isdecimal()]
    return len(written) > 1 and written[0] < written[-1]


def normalize_entries(
    raw: RawFeed, *, url: str, now: datetime | None = None, known: Mapping[str, str] | None = None
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """
    Return the entries of a feed, and descriptions of its faults. Titles are without the outlet's name at their end
    (`drop_repeated_endings`).

    Args:
        url: URL of the feed: the base of relative links if the feed has no other base.
        known: GUID → `content_hash`; unchanged entries are returned without summary and text, to save time.
    """
    base = absolute_url(url, raw.base) or url
    guids = [to_one_line(row.guid, GUID_CHARS * 4) for row in raw.entries]
    use_guids = len(set(guids)) > 1 or len(guids) == 1
    entries: dict[str, Entry] = {}
    times: dict[str, int] = {}
    for row, guid in zip(raw.entries, guids, strict=True):
        link = _first_link(row, base)
        digest = content_hash(row)
        identity = _bounded_id(guid if guid and use_guids else normalize_url(link) if link else digest)
        if identity in entries:
            known_url = entries[identity].url
            if link is None or known_url is None or normalize_url(link) == normalize_url(known_url):
                times["repeated"] = times.get("repeated", 0) + 1
                continue
            times["with another's GUID"] = times.get("with another's GUID", 0) + 1
            identity = _bounded_id(normalize_url(link))
            if identity in entries:
                continue
        is_known = bool(known) and known is not None and known.get(identity) == digest
        entries[identity] = _normalize_entry(
            row, identity, link, digest, base=link or base, now=now, whole=not is_known, language=raw.language
        )
    normalized = drop_repeated_endings(tuple(entries.values()))
    return normalized, (*raw.faults, *_entry_faults(normalized, times, use_guids))


def _normalize_entry(
    row: RawEntry,
    guid: str,
    link: str | None,
    digest: str,
    *,
    base: str,
    now: datetime | None,
    whole: bool,
    language: str,
) -> Entry:
    """Return the entry for one item; without summary and text if `whole` is False."""
    title = title_text(row.title)
    updated_at = _first_date(row.updated, now)
    summary, text = _summary_and_text(row) if whole else ("", "")
    return Entry(
        guid=guid,
        url=link,
        title=title or _quote_first_sentence(summary, language),
        summary=summary,
        text=text,
        authors=tuple(
            filter(None, (to_one_line(html_to_text(name, MAX_AUTHOR_CHARS), MAX_AUTHOR_CHARS) for name in row.authors))
        ),
        published_at=_first_date(row.published, now) or updated_at,
        updated_at=updated_at,
        image=next((url for url in (absolute_url(base, image) for image in row.images) if url), None),
        language=parse_language_tag(language),
        content_hash=digest,
    )


def parse_language_tag(text: str) -> str | None:
    """Return a language tag in BCP 47 form, None if `text` is not a tag."""
    tag = text.strip().replace("_", "-")
    return tag if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}", tag) else None


def _quote_first_sentence(text: str, language: str) -> str:
    """Return the first sentence of `text` in quotation marks: the title of an entry that has none; "" for no text."""
    if not text:
        return ""
    from watcher.text.sentences import sentences  # late: its tables take 5 ms, and nearly all entries have a title

    start, end = next(sentences(text, language.replace("_", "-") or "und"), (0, len(text)))
    return f"“{to_one_line(text[start:end], SENTENCE_CHARS)}”"


def _summary_and_text(row: RawEntry) -> tuple[str, str]:
    """Return an entry's summary, and its whole text with a line for each paragraph, "" if it has only a summary."""
    text = plain_text(row.content)
    is_html, value = row.summary.is_html, row.summary.value
    summary = escaped_html_to_text(value) if is_html else strip_control_chars(value).strip()
    if not text and (len(summary) >= LONG_SUMMARY or (is_html and has_markup(value))):
        text = plain_text(row.summary)
    return summary or truncate(text, LONG_SUMMARY), text


def plain_text(text: RawText) -> str:
    """
    Return a text with a line for each paragraph, at most `TEXT_CHARS` characters.

    The lines of HTML mean nothing, unless it has no tag, and lines that are longer than those that programs wrap.
    """
    if text.is_html:
        has_paragraphs = not has_markup(text.value) and any(
            len(line) > MAX_WRAPPED_CHARS for line in text.value.split("\n")
        )
        value = text.value if has_paragraphs else " ".join(text.value.split())
        return escaped_html_to_text(value, TEXT_CHARS)
    lines = (" ".join(line.split()) for line in strip_control_chars(text.value[:TEXT_CHARS]).split("\n"))
    return "\n".join(filter(None, lines))


def title_text(text: RawText) -> str:
    """Return a title as plain text on one line."""
    return to_one_line(html_to_text(text.value) if text.is_html else text.value)


def _first_link(row: RawEntry, base: str) -> str | None:
    """Return the URL of an item's page: its first http(s) link, else its GUID if that is a URL, else None."""
    links = (absolute_url(base, link) for link in row.links)
    guid_url = row.guid.strip() if row.guid.strip().startswith(("http://", "https://")) else ""
    return next((link for link in links if link), None) or (absolute_url(base, guid_url) if guid_url else None)


def absolute_url(base: str, link: str) -> str | None:
    """Return `link` as an absolute http(s) URL in ASCII; None if it is empty, too long or not such a URL."""
    link = strip_control_chars(link).strip().replace("\n", "").replace("\t", "").replace("\r", "")
    if not link or len(link) > URL_CHARS:
        return None
    try:
        # A link must not inherit the credentials in the feed's URL.
        joined = link if is_web(link) else urljoin(hide_secrets(base), link)
    except ValueError:
        return None
    scheme, colon, rest = joined.partition(":")
    joined = scheme.lower() + colon + rest
    return (
        quote(joined, safe=IN_URLS, errors="replace") if joined.isascii() and is_web(joined) else _to_ascii_url(joined)
    )


def _to_ascii_url(url: str) -> str | None:
    """Return a URL in ASCII: the host as IDNA, the rest percent-encoded UTF-8; None if that is not possible."""
    if not is_web(url):
        return None
    parts = urlsplit(url)
    try:
        place = (parts.hostname or "").encode("idna").decode("ascii")
    except UnicodeError:
        return None
    place = f"{place}:{parts.port}" if parts.port is not None else place
    return quote(urlunsplit(parts._replace(netloc=place)), safe=IN_URLS, errors="replace")


def _first_date(texts: Sequence[str], now: datetime | None) -> datetime | None:
    """Return the first date that can be parsed and is plausible, else None."""
    return next(
        (moment for moment in (_plausible_or_none(parse_timestamp(text), now) for text in texts) if moment), None
    )


def content_hash(row: RawEntry) -> str:
    """Return a hash of title, summary and content without differences in white space, 32 hex digits."""
    parts = (row.title.value, row.summary.value, row.content.value)
    text = "\0".join(" ".join(part.split()) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _bounded_id(identity: str) -> str:
    """Return `identity`, or its hash if it is longer than `GUID_CHARS`."""
    if len(identity) <= GUID_CHARS:
        return identity
    return "sha256:" + hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


def _entry_faults(entries: Sequence[Entry], times: Mapping[str, int], use_guids: bool) -> list[str]:
    """Return descriptions of the faults in a feed's entries."""
    faults = [f"{count} entries {what}" for what, count in times.items()]
    if not use_guids and len(entries) > 1:
        faults.append("its GUIDs are missing or all the same: entries are identified by their links")
    undated = sum(entry.published_at is None for entry in entries)
    if undated:
        faults.append(f"{undated} of {len(entries)} entries without a plausible date")
    linkless = sum(entry.url is None and not entry.guid.startswith("mid:") for entry in entries)  # mails have none
    if linkless:
        faults.append(f"{linkless} of {len(entries)} entries without an http link")
    return faults


def _plausible_or_none(moment: datetime | None, now: datetime | None) -> datetime | None:
    """Return `moment`, or None if it is before `EARLIEST_ENTRY` or more than `MAX_ENTRY_AHEAD` after `now`."""
    if moment is None or moment < EARLIEST_ENTRY or (now is not None and moment > now + MAX_ENTRY_AHEAD):
        return None
    return moment
