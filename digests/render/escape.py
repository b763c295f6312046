"""Sanitizes text and URLs from feeds: text becomes plain lines, and URLs become safe http or https links."""

import re
import unicodedata
from itertools import accumulate
from urllib.parse import quote, urlsplit

from watcher.text.urls import is_web
from watcher.text.words import compose

MAX_RENDERED_LINE_CHARS = 2_000  # characters; longer sentences and titles are cut, with an ellipsis
PARAGRAPH_BYTES = len("<p></p>\n")
MAX_LINK_CHARS = 2_048  # characters; a longer URL is not linked

# Controls of text direction (UAX #9), and invisible characters. Zero-width joiner and non-joiner stay, because Persian,
# the Indic scripts and emoji need them.
INVISIBLE_CHARACTERS = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
    + [0x00AD, 0x200B, 0x2060, 0x180E, 0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xFDD0, 0xFDF0)]
    + [plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF)]
)
BLANK_CHARACTERS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
STACKED = re.compile(r"([\u0300-\u036f]{3})[\u0300-\u036f]+")  # accents stacked over a letter reach into other lines
NOT_IN_URL = re.compile(r"[^\x21-\x7e]|['()<>\[\]\\\"`{}|^]")
PRIMARY_LANGUAGE = re.compile(r"[a-z]{2,3}")
ANCHOR_NAME = re.compile(r"[A-Za-z0-9-]{1,80}")


def sanitize_line(text: str, *, limit: int = MAX_RENDERED_LINE_CHARS) -> str:
    """
    Return `text` as one harmless line: without controls, line breaks, direction overrides or lone surrogates.

    Surrogate pairs become their character, lone surrogates U+FFFD. Runs of blanks become one space. The result must
    still be escaped for its format.
    """
    text = text[: 4 * limit].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = compose("NFC", BLANK_CHARACTERS.sub(" ", text).translate(INVISIBLE_CHARACTERS))
    text = STACKED.sub(r"\1", text)
    text = BLANK_CHARACTERS.sub(" ", text).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def sanitize_lines(text: str, *, limit: int = 20_000) -> str:
    """Return a text with each line sanitized, except for its indentation; blank lines in a row become one."""
    lines = [line[: len(line) - len(line.lstrip(" "))] + sanitize_line(line) for line in text[:limit].splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


def sanitize_paragraphs(text: str, *, max_bytes: int) -> tuple[list[str], int]:
    """Return an article's paragraphs, sanitized, that fit `max_bytes` as `<p>`, one at least, and how many are left."""
    lines = [line for line in text.split("\n") if line.strip()]
    first = [sanitize_line(line, limit=max_bytes // 4) for line in lines[: max_bytes // PARAGRAPH_BYTES]]
    sizes = accumulate(PARAGRAPH_BYTES + len(line.encode()) for line in first)
    shown = first[: max(1, sum(size <= max_bytes for size in sizes))]
    return shown, len(lines) - len(shown)


def web_url(url: str) -> str | None:
    """
    Return `url` in ASCII for a link; None if it is not an http or https URL, or is too long.

    Characters that could end a link in Markdown, HTML or a header are percent-encoded; encoded ones stay.
    """
    url = sanitize_line(url, limit=2 * MAX_LINK_CHARS)
    if not is_web(url):
        return None
    netloc = urlsplit(url).netloc
    if not netloc.isascii():
        try:
            url = url.replace(netloc, netloc.encode("idna").decode("ascii"), 1)
        except UnicodeError:
            return None
    url = NOT_IN_URL.sub(lambda match: quote(match.group(), safe=""), url)
    return url if len(url) <= MAX_LINK_CHARS else None


def language_tag(tag: str) -> str:
    """Return the primary language tag in lower case; "" if it is invalid or means an unknown language."""
    primary = tag.strip().lower().replace("_", "-").split("-", 1)[0]
    return primary if PRIMARY_LANGUAGE.fullmatch(primary) and primary not in ("und", "mul", "zxx", "mis") else ""


def safe_anchor(name: str, number: int) -> str:
    return name if ANCHOR_NAME.fullmatch(name) else f"story-{number}"


def text_direction(text: str) -> str:
    """Return "rtl" or "ltr", by the first character with a direction (UAX #9, P2); "ltr" without one."""
    kinds = map(unicodedata.bidirectional, text)
    first = next((kind for kind in kinds if kind in ("L", "R", "AL")), "L")
    return "ltr" if first == "L" else "rtl"


def page_url(site: str | None, name: str) -> str | None:
    return web_url(f"{site.rstrip('/')}/{name}") if site else None
