"""Reads the headers, the sender and the parts of a mail: the time grows with its bytes, whatever is in it."""

import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser

MAX_PARTS, MAX_DEPTH, MAX_HEADER_LINES = 100, 10, 1_000
MAX_MAIL_HEADER_CHARS = 2_000  # of one value: the email package takes quadratic time for some
BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
HEADER_LINES = re.compile(r"[\r\n]++(?![ \t])")
# What may have any character in a From header: a quoted string, a comment, an encoded word.
OPAQUE = re.compile(
    r'"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)|=\?[\w.*-]{1,60}\?[bq]\?[^?\s<>@"\\]{0,500}\?=', re.IGNORECASE | re.DOTALL
)
MAIL_ADDRESS = r"([\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*)"
# One mailbox: an address, or a name before an address in angle brackets; "\0" stands for each opaque part.
MAILBOX = re.compile(
    rf'\A(?:[^<>@,:;()\[\]"\\]*<\s*{MAIL_ADDRESS}\s*>|\s*{MAIL_ADDRESS})[\s\0]*\Z', re.ASCII | re.IGNORECASE
)
QUOTING = re.compile(r'\\(.)|"')


def split_head(data: bytes) -> tuple[bytes, bytes]:
    """Return the headers of a mail or of a part, and the bytes after them."""
    blank = BLANK_LINE.search(data)
    return (data[: blank.start() + 1], data[blank.end() :]) if blank else (data, b"")


def read_headers(head: bytes) -> Message:
    """
    Return a message with the headers alone, each cut to `MAX_MAIL_HEADER_CHARS`; bytes that are not UTF-8 are replaced.

    Errors: ValueError for too many lines.
    """
    if head.count(b"\n") > MAX_HEADER_LINES:
        raise ValueError(f"it has more than {MAX_HEADER_LINES:,} lines of headers")
    message = Message()
    for name, value in BytesHeaderParser().parsebytes(head).raw_items():
        text = str(value)[:MAX_MAIL_HEADER_CHARS]
        message[name] = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return message


def _decode_words(text: str) -> str:
    """Return a header with its encoded words (RFC 2047) decoded, or as it is if they are not correct."""
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def header(message: Message, name: str) -> str:
    """Return the first header `name`, decoded; "" if there is none."""
    return _decode_words(message.get(name, ""))


def read_sender(head: bytes) -> tuple[str, str, str]:
    """
    Return the name and the address of a mail's sender, and all its From headers as they are.

    The address is "" unless there is one From header with one mailbox: of two, a mail server may have checked the
    other one. It is read before anything is decoded, so no encoded word, quoted string or comment is part of it.
    """
    lines = HEADER_LINES.split(head.decode("utf-8", "replace"))
    values = [line.partition(":")[2] for line in lines if re.match(r"from[ \t]*:", line, re.IGNORECASE)]
    raw = values[0][:MAX_MAIL_HEADER_CHARS] if values else ""
    mailbox = MAILBOX.fullmatch(OPAQUE.sub("\0", raw)) if values == [raw] else None
    name = _decode_words(QUOTING.sub(r"\1", raw.rpartition("<")[0]).strip())
    return name, (mailbox[1] or mailbox[2]).lower() if mailbox else "", "\n".join(values)


def text_parts(head: bytes, body: bytes) -> Iterator[Message]:
    """
    Yield the parts of a mail that have no parts themselves. Errors: ValueError for too many or too deep ones.

    `email.parser` takes minutes for 512 kB of nested or empty parts. Here each level is searched once for the lines
    that delimit its parts.
    """
    waiting, number = [(head, body, 0)], 0
    while waiting:
        head, body, depth = waiting.pop()
        message, number = read_headers(head), number + 1
        kind, boundary = message.get_content_type(), message.get_boundary()
        inner = list[bytes]()
        if kind.startswith("multipart/") and boundary:
            inner = _split_parts(body, boundary, MAX_PARTS - number - len(waiting))
        elif kind == "message/rfc822":
            inner = [body]
        else:
            message.set_payload(body.decode("ascii", "surrogateescape"))
            yield message
        if inner and depth == MAX_DEPTH:
            raise ValueError(f"its parts are in more than {MAX_DEPTH} levels")
        waiting += [(*split_head(part), depth + 1) for part in reversed(inner)]


def _split_parts(body: bytes, boundary: str, most: int) -> list[bytes]:
    """Return the parts of a multipart body, the last one also if it is cut. Errors: ValueError for more than `most`."""
    delimiter = re.compile(rb"(?:\A|\r?\n)--%b(--)?[ \t]*(?:(?=\r?\n)|\Z)" % re.escape(boundary.encode()))
    parts, start = list[bytes](), -1
    for line in delimiter.finditer(body):
        if start >= 0:
            parts.append(body[start : line.start()])
        if len(parts) > most:
            raise ValueError(f"it has more than {MAX_PARTS} parts")
        start = -1 if line[1] else body.find(b"\n", line.end()) + 1 or len(body)
        if line[1]:
            break
    return [*parts, body[start:]] if start >= 0 else parts
