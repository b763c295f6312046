"""Parses the mails of a folder, such as newsletters, as a feed: the text of a mail is the text of its article."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from urllib.parse import quote, unquote, urlsplit

from watcher.feeds.html_text import html_to_text
from watcher.feeds.mime import MAX_HEADER_LINES, header, read_headers, read_sender, split_head, text_parts
from watcher.feeds.normalize import TEXT_CHARS, RawEntry, RawFeed, RawText
from watcher.feeds.parse import normalize_feed
from watcher.feeds.shown_html import drop_unshown
from watcher.model import MAX_MAIL_BYTES, FolderMails, ParsedFeed
from watcher.text.encoding import decode_page
from watcher.text.plain_text import to_one_line
from watcher.text.urls import SHARED_HOSTS, mail_senders

MAIL_FORMAT = "Mail"
NAMING_HEADER_CHARS = 80  # of each header that names a mail in a fault
FURNITURE_CHARS = 200  # of a line that may be furniture
MESSAGE_ID = re.compile(r"<([^<>\s]{1,500})>")
ARCHIVE = re.compile(r"<(https://([a-z0-9.-]{1,200})(?:/[^<>\s\\]{0,2000})?)>", re.IGNORECASE)
OUTLOOK_CONDITION = re.compile(r"<!\[[^<>]{0,200}>")
FILLER = re.compile("[\u034f\u00ad\u2007\u200b-\u200d\ufeff\\s]{4,2000}")  # of the preview; one alone is part of a word
# URLs in newsletters contain a code of the reader: they are not part of the text.
URL = re.compile(r"[ \t]{0,4}[<(\[]\s{0,4}https?://[^\s<>)\]]{0,4000}\s{0,4}[>)\]]|\bhttps?://\S{60,4000}")
ONLY_URL = re.compile(r"\W{0,20}https?://\S{1,4000}")
WRAPPED = re.compile(r"(?<=[^\n]{50})[ \t]{0,4}\n(?=[^\W\d_]|[\"“‘«(])")  # a line break inside of a paragraph
NEWSLETTER_FURNITURE = re.compile(  # of lines in small letters
    "|".join(tomllib.loads((files("watcher.feeds") / "newsletters.toml").read_text("utf-8"))["furniture"])
)


def parse_mails(
    folder: FolderMails, *, now: datetime | None = None, known: Mapping[str, str] | None = None
) -> ParsedFeed:
    """Parse the mails of a folder; arguments as `parse_feed`."""
    return normalize_feed(read_mails(folder), url=folder.url, now=now, known=known)


def read_mails(folder: FolderMails) -> RawFeed:
    """
    Parse the mails of a folder without normalising them; one that cannot be read is a fault.

    The sender is read first: a mail from others than the senders in the folder's URL is neither parsed nor named.
    """
    wanted, outlets, entries = mail_senders(folder.url), set[str](), dict[str, RawEntry]()
    faults = list(folder.faults)
    for mail in folder.mails:
        try:
            head, text = split_head(mail)
            name, address, stated = read_sender(head)
            if wanted and not is_wanted(address, wanted):
                if not address and any(pattern.lstrip("@") in stated.lower() for pattern in wanted):
                    faults.append(f"{_name_mail(mail)} is left out: its From header does not name one sender")
                continue
            entry = _parse_mail(head, text, name or address, wanted)
            entries.setdefault(entry.guid, entry)
            outlets.add(name)
            if len(mail) >= MAX_MAIL_BYTES:
                faults.append(f"only the first {MAX_MAIL_BYTES:,} bytes of {_name_mail(mail)} were read")
        except Exception as error:  # noqa: BLE001 - the mail's fault; the others go on
            faults.append(describe_fault(mail, str(error) or type(error).__name__))
    name = unquote(urlsplit(folder.url).path).rpartition("/")[2]
    title = outlets.pop() if len(outlets) == 1 else ""
    return RawFeed(
        format=MAIL_FORMAT, title=RawText(value=title or name), entries=tuple(entries.values()), faults=tuple(faults)
    )


def describe_fault(mail: bytes, why: str) -> str:
    return f"{_name_mail(mail)} is left out: {to_one_line(why, NAMING_HEADER_CHARS)}"


def _name_mail(mail: bytes) -> str:
    """Return the subject of a mail, or else its Message-ID, and its sender, for a fault."""
    head = b"\n".join(split_head(mail)[0].split(b"\n")[:MAX_HEADER_LINES])
    message, (name, address, _) = read_headers(head), read_sender(head)
    title = header(message, "subject").strip() or message.get("message-id", "")
    sender = to_one_line(address or name, NAMING_HEADER_CHARS) or "nobody"
    return f'the mail "{to_one_line(title, NAMING_HEADER_CHARS)}" from {sender}'


def is_wanted(address: str, wanted: tuple[str, ...]) -> bool:
    """Whether `address` is one of `wanted`, or at one of its domains or below it."""
    domain = f".{address.rpartition('@')[2]}"
    return any(address == pattern or (pattern[0] == "@" and domain.endswith(f".{pattern[1:]}")) for pattern in wanted)


def _is_own_site(host: str, wanted: tuple[str, ...]) -> bool:
    """Whether `host` is that of one of the `wanted` senders, or below it; on a shared platform, others are below it."""
    domains = [address.rpartition("@")[2] for address in wanted]
    return any(host == domain or (domain not in SHARED_HOSTS and host.endswith(f".{domain}")) for domain in domains)


def _parse_mail(head: bytes, body: bytes, author: str, wanted: tuple[str, ...]) -> RawEntry:
    """
    Return the entry for a mail. Errors: ValueError for too many headers or parts.

    Its link is its place in a public archive, if that is on a site of the `wanted` senders: a mail can name any page.
    """
    message = read_headers(head)
    subject, date = header(message, "subject"), message.get("date", "")
    archived = ARCHIVE.fullmatch(message.get("archived-at", "").strip())
    match = MESSAGE_ID.search(message.get("message-id", ""))
    stated = f"{author}\0{date}\0{subject}".encode("utf-8", "replace")
    name = match[1] if match else hashlib.sha256(stated).hexdigest()[:32]
    return RawEntry(
        guid=f"mid:{quote(name, safe='@')}",  # RFC 2392
        links=(archived[1],) if archived and _is_own_site(archived[2].lower(), wanted) else (),
        title=RawText(value=subject),
        content=RawText(value=_mail_text(head, body)),
        authors=(author,),
        published=(date,),
    )


def _mail_text(head: bytes, body: bytes) -> str:
    """Return the text of a mail, a line for each paragraph: of its HTML, unless its plain text is much longer."""
    parts: dict[str, str] = {}
    for part in text_parts(head, body):
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and kind not in parts and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)  # it was set
            parts[kind] = decode_page(payload, part.get("content-type"))
    plain = WRAPPED.sub(" ", URL.sub("", parts.get("text/plain", "").replace("\r\n", "\n")))
    markup = drop_unshown(OUTLOOK_CONDITION.sub("", " ".join(parts.get("text/html", "").split())))
    text = URL.sub("", FILLER.sub(" ", html_to_text(markup, TEXT_CHARS)))
    lines = (text if 2 * len(text) >= len(plain) else plain).split("\n")
    return "\n".join(line for line in lines if not _is_furniture(line.strip().lower()))


def _is_furniture(line: str) -> bool:
    return bool(ONLY_URL.fullmatch(line) or (len(line) <= FURNITURE_CHARS and NEWSLETTER_FURNITURE.search(line)))
