"""Mail headers that arrive as written: Python's own policy breaks long addresses and decodes hostile subjects."""

from __future__ import annotations

import base64
import re
import string
from email.policy import EmailPolicy
from typing import Any

LINE = 76  # characters of a header line that holds an encoded word (RFC 2047 §2)
MOST = 78  # characters of any header line, where it can be broken (RFC 5322 §2.1.1)
WORD = 75  # characters of an encoded word
Q_SAFE = frozenset(string.ascii_letters + string.digits + "!*+-/")  # as they are, in a phrase too (RFC 2047 §5)
RAW = frozenset(
    {
        *("message-id", "date", "references", "in-reply-to", "auto-submitted", "content-language"),
        *("list-id", "list-unsubscribe", "list-unsubscribe-post", "list-archive"),
        *("from", "sender", "reply-to", "to"),
    }
)


class MailPolicy(EmailPolicy):
    """
    Writes headers by itself: those in `RAW` as they are, broken between addresses only, a subject in words of its own.

    `EmailPolicy` parses what is assigned: a title that holds `=?utf-8?q?…?=` would be decoded, and a long
    List-Unsubscribe would be turned into encoded words that no program follows.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401
        if name.lower() == "subject" or name.lower() in RAW:
            if any(character in str(value) for character in "\r\n"):
                raise ValueError(f"{name}: a line break")
            return name, str(value)
        return super().header_store_parse(name, value)

    def fold(self, name: str, value: Any) -> str:  # noqa: ANN401
        if name.lower() == "subject":
            return f"{name}: {unstructured(str(value), used=len(name) + 2)}\r\n"
        if name.lower() in RAW:
            return folded_list(f"{name}: {value}") + "\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:  # noqa: ANN401
        return self.fold(name, value).encode("ascii")


MAIL = MailPolicy(linesep="\r\n", max_line_length=78, utf8=False, cte_type="7bit")


def unstructured(text: str, *, used: int = 0) -> str:
    """
    Return one line of text as the value of a header, folded: plain if it is short words of ASCII, else encoded words.

    Args:
        used: Characters of the first line that are taken, by the header's name.
    """
    if text.isascii() and "=?" not in text and all(len(word) < LINE - used for word in text.split(" ")):
        return _folded(text.split(" "), used)
    return "\r\n ".join(_encoded_words(text, used))


def phrase(text: str) -> str:
    """Return the name before an address: quoted if it is plain, else encoded words (RFC 5322 §3.2.5, RFC 2047 §5)."""
    if text.isascii() and "=?" not in text and not set(text) & set('"\\<>,') and len(text) <= 60:
        return f'"{text}"'
    return " ".join(_encoded_words(text, len("List-Id: ")))


def folded_list(header: str) -> str:
    """
    Return a header of addresses, folded so that each address, id and encoded word stays whole.

    Behind a comma and between ids and words it is always broken, before an address where its name makes the line long.
    """
    lines = re.sub(r"(,|>|\?=) (?=[<\"]|=\?|[^\s,]+@)", "\\1\r\n ", header).split("\r\n")
    return "\r\n".join(re.sub(r'" <(?=[^<"]*$)', '"\r\n <', line) if len(line) > MOST else line for line in lines)


def _folded(words: list[str], used: int) -> str:
    lines, line = [], words[0]
    for word in words[1:]:
        if used + len(line) + 1 + len(word) > LINE:
            lines.append(line)
            line, used = word, 1
        else:
            line = f"{line} {word}"
    return "\r\n ".join([*lines, line])


def _encoded_words(text: str, used: int) -> list[str]:
    """Return encoded words of at most 75 characters, split between characters; blanks between them do not count."""
    encode = min((_q, _b), key=lambda coding: len(coding(text)))
    words: list[str] = []
    start = 0
    while start < len(text):
        room = min(WORD, LINE - used) if not words else WORD
        end = start + 1
        while end < len(text) and len(encode(text[start : end + 1])) <= room:
            end += 1
        words.append(encode(text[start:end]))
        start = end
    return words


def _q(text: str) -> str:
    body = "".join(
        chr(byte) if chr(byte) in Q_SAFE else "_" if byte == 0x20 else f"={byte:02X}" for byte in text.encode()
    )
    return f"=?utf-8?q?{body}?="


def _b(text: str) -> str:
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode('ascii')}?="
