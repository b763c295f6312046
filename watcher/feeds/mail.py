"""Parses mails, such as newsletters, to a RawFeed: the text of a mail is the text of its article."""

import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from importlib.resources import files
from itertools import islice
from urllib.parse import parse_qs, quote, unquote, urlsplit

from watcher.feeds.html_text import html_to_text, to_one_line
from watcher.feeds.normalize import TEXT_CHARS, RawEntry, RawFeed, RawText
from watcher.text.encoding import decode_page

MAIL = "Mail"  # the format
MAX_MAIL_BYTES = 512 * 1024  # of one mail: the text comes before the attachments
MAX_PARTS, MAX_HEADER_LINES = 50, 1_000
MAX_HEADER_CHARS = 2_000
FURNITURE_CHARS = 200  # of a line that may be furniture
BLANK_LINE = re.compile(rb"\n\r?\n")
BOUNDARY = re.compile(rb"boundary\s?=", re.IGNORECASE)
MESSAGE_ID = re.compile(r"<([^<>\s]{1,500})>")
ARCHIVE = re.compile(r"<(https://[^<>\s]{1,2000})>")
# An element that is not shown, with its text: the preview of the mail in a list of mails; or a condition of Outlook.
HIDDEN = re.compile(
    r"<(?:div|span|p|td)\b[^<>]{0,2000}display:\s?none[^<>]{0,2000}>[^<]{0,2000}|<!\[[^<>]{0,200}>", re.IGNORECASE
)
FILLER = re.compile("[\u034f\u00ad\u2007\u200b-\u200d\ufeff\\s]{4,2000}")  # of the preview; one alone is part of a word
# URLs in newsletters contain a code of the reader: they are not part of the text.
URL = re.compile(r"[ \t]{0,4}[<(\[]\s{0,4}https?://[^\s<>)\]]{0,4000}\s{0,4}[>)\]]|\bhttps?://\S{60,4000}")
ONLY_URL = re.compile(r"\W{0,20}https?://\S{1,4000}")
WRAPPED = re.compile(r"(?<=[^\n]{50})[ \t]{0,4}\n(?=[^\W\d_]|[\"“‘«(])")  # a line break inside of a paragraph
FURNITURE = re.compile(  # of lines in small letters
    "|".join(tomllib.loads((files("watcher.feeds") / "newsletters.toml").read_text("utf-8"))["furniture"])
)


def join_mails(mails: Sequence[bytes]) -> bytes:
    """Return mails as one body, which `parse_mails` reads."""
    return json.dumps([mail.decode("latin-1") for mail in mails], ensure_ascii=False).encode("utf-8")


def wanted_senders(url: str) -> tuple[str, ...]:
    """Return the addresses and domains ("@example.org") whose mails the source at `url` takes; empty for all."""
    return tuple(value.lower() for value in parse_qs(urlsplit(url).query.replace("+", "%2B")).get("from", ()))


def parse_mails(body: bytes, url: str, max_entries: int) -> RawFeed:
    """Parse the mails of `join_mails` in the folder `url`; one that cannot be read is a fault."""
    wanted, faults, outlets, entries = wanted_senders(url), list[str](), set[str](), list[RawEntry]()
    for text in json.loads(body)[:max_entries]:
        mail, subject = text.encode("latin-1"), ""
        try:
            headers = BLANK_LINE.split(mail, 1)[0].count(b"\n")
            if headers > MAX_HEADER_LINES or len(BOUNDARY.findall(mail)) > MAX_PARTS:  # it would take seconds
                raise ValueError(f"more than {MAX_HEADER_LINES:,} lines of headers, or {MAX_PARTS} parts")
            message = message_from_bytes(mail)
            subject, (name, address) = header(message, "subject"), parseaddr(header(message, "from"))
            if not wanted or is_wanted(address.lower(), wanted):
                entries.append(parse_mail(message, subject, name or address))
                outlets.add(name)
        except Exception as error:  # noqa: BLE001 - the mail's fault; the others go on
            faults.append(f"a mail cannot be read ({to_one_line(str(error), 80) or type(error).__name__})")
        if len(mail) >= MAX_MAIL_BYTES:
            faults.append(f"only the first {MAX_MAIL_BYTES:,} bytes of a mail were read: {to_one_line(subject, 80)}")
    folder = unquote(urlsplit(url).path).rpartition("/")[2]
    title = outlets.pop() if len(outlets) == 1 else ""
    return RawFeed(format=MAIL, title=RawText(value=title or folder), entries=tuple(entries), faults=tuple(faults))


def is_wanted(address: str, wanted: tuple[str, ...]) -> bool:
    """Whether `address` is one of `wanted`, or at one of its domains or below it."""
    domain = f".{address.rpartition('@')[2]}"
    return any(address == each or (each[0] == "@" and domain.endswith(f".{each[1:]}")) for each in wanted)


def parse_mail(message: Message, subject: str, author: str) -> RawEntry:
    date, archived = header(message, "date"), ARCHIVE.search(header(message, "archived-at"))
    found = MESSAGE_ID.search(header(message, "message-id"))
    name = found[1] if found else hashlib.sha256(f"{author}\0{date}\0{subject}".encode()).hexdigest()[:32]
    return RawEntry(
        guid=f"mid:{quote(name, safe='@')}",  # RFC 2392
        links=(archived[1],) if archived else (),
        title=RawText(value=subject),
        content=RawText(value=mail_text(message)),
        authors=(author,),
        published=(date,),
    )


def header(message: Message, name: str) -> str:
    """Return the first header `name`, decoded, also if it has bytes or words that are not encoded as they should be."""
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name), "")[:MAX_HEADER_CHARS]
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def mail_text(message: Message) -> str:
    """Return the text of a mail, a line for each paragraph: of its HTML, unless its plain text is much longer."""
    parts: dict[str, str] = {}
    for part in islice(message.walk(), MAX_PARTS):
        kind, payload = part.get_content_type(), part.get_payload(decode=True)
        if kind.startswith("text/") and isinstance(payload, bytes) and part.get_content_disposition() != "attachment":
            parts.setdefault(kind, decode_page(payload, header(part, "content-type")))
    plain = WRAPPED.sub(" ", URL.sub("", parts.get("text/plain", "").replace("\r\n", "\n")))
    markup = HIDDEN.sub("", " ".join(parts.get("text/html", "").split()))
    text = URL.sub("", FILLER.sub(" ", html_to_text(markup, TEXT_CHARS)))
    lines = (text if 2 * len(text) >= len(plain) else plain).split("\n")
    return "\n".join(line for line in lines if not is_furniture(line.strip().lower()))


def is_furniture(line: str) -> bool:
    return bool(ONLY_URL.fullmatch(line) or (len(line) <= FURNITURE_CHARS and FURNITURE.search(line)))
