"""Decodes the bytes of feeds and pages, also if the declared encodings are wrong; text that can be encoded again."""

import codecs
import re
from contextlib import suppress

from watcher.text.toml_data import load_toml

_CHARSETS = load_toml("watcher.text", "charsets.toml")
SUPERSETS = {label: codec for codec, labels in _CHARSETS["supersets"].items() for label in labels.split()}
GUESSED: tuple[str, ...] = tuple(_CHARSETS["guessed"]["codecs"].split())
BYTE_ORDER_MARK = "\ufeff"  # some programs write it at the start of a file

# First bytes that identify an encoding: a byte order mark, or an encoded "<". The longer ones come first.
BEGINNINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
XML_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})")
IN_HEADER = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
EBCDIC = b"\x4c\x6f\xa7\x94"  # "<?xm"
# Not read: UTF-7 can hide markup, the others are no encodings of text.
NOT_READ = frozenset(("utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"))
# Encodings with only ASCII bytes.
ASCII_ONLY_ENCODINGS = frozenset(("iso2022_jp", "iso2022_kr", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "hz"))


def decode_feed(body: bytes, content_type: str | None = None) -> str:
    """
    Return the text of `body`; never fails.

    Tried in order: byte order mark, valid UTF-8 (unless an ASCII-like encoding is declared), the declaration, the
    header (RFC 7303 prefers the header, but it often has a server's default). If all fail, the text is UTF-8 with
    the invalid bytes read as Windows-1252.
    """
    for beginning, name in BEGINNINGS:
        if body.startswith(beginning):
            errors = "cp1252-for-the-rest" if name == "utf-8" else "replace"
            return body.decode(name, errors).removeprefix(BYTE_ORDER_MARK)
    claims = _declared_encodings(body, content_type)
    if ASCII_ONLY_ENCODINGS.isdisjoint(claims):
        claims.insert(0, "utf-8")
    for name in claims:
        with suppress(UnicodeDecodeError, LookupError):
            return body.decode(name)
    return body.decode("utf-8", "cp1252-for-the-rest")


def _declared_encodings(body: bytes, content_type: str | None) -> list[str]:
    """Return the codecs named by the XML declaration and the header, in this order; without UTF-8 and unusable ones."""
    head = body[:400].decode("cp037").encode("latin-1", "replace") if body.startswith(EBCDIC) else body[:400]
    written = [match[1].decode("ascii") for match in XML_DECLARED.finditer(head)][:1]
    written += IN_HEADER.findall(content_type or "")[:1]
    return [codec for codec in map(_codec_of, written) if codec and codec != "utf-8"]


def _codec_of(label: str) -> str | None:
    """Return Python's name of the codec for a charset label, or of its superset; None if it is not read."""
    with suppress(LookupError, UnicodeError, ValueError):
        name = codecs.lookup(SUPERSETS.get(label.lower(), label)).name
        name = SUPERSETS.get(name, name)
        b"a".decode(name)  # codecs such as rot13 do not decode bytes to text
        return None if name in NOT_READ else name
    return None


def _read_as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Decode bytes that are not valid UTF-8 as Windows-1252; a codec error handler."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("cp1252-for-the-rest", _read_as_cp1252)


HEAD_BYTES = 4096  # bytes that are searched for a charset declaration; browsers search 1024
DECLARED = re.compile(r"""(?:charset|encoding)\s*=\s*+(?:["']\s*+)?([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
CHARDET_BYTES = 60_000  # bytes that chardet reads, in 1 ms
MIN_BEYOND_ASCII = 15  # non-ASCII bytes: with fewer, chardet is not reliable
MARKUP_BYTES = re.compile(
    rb"<script.*?(?:</script>|\Z)|<style.*?(?:</style>|\Z)|<[^<>]{0,2000}+>", re.DOTALL | re.IGNORECASE
)


def decode_page(body: bytes, content_type: str | None = None) -> str:
    """
    Return the text of a page's `body`.

    Tried in order: byte order mark, or an encoded "<"; UTF-8 if valid (no other encoding is valid UTF-8 by chance);
    `_guess_codec` if no charset is declared, or a server's default; the charset of the header, that of the page;
    windows-1252. Bytes that do not decode become U+FFFD; NUL is removed.

    Source: WHATWG Encoding Standard (labels), HTML §13.2.3 (determining the character encoding).
    """
    return _decode(body, content_type or "").replace("\x00", "")


def _decode(body: bytes, content_type: str) -> str:
    """Return a body as text: by its byte order mark, as UTF-8, or in the charset that is declared or guessed."""
    for beginning, name in BEGINNINGS:
        if body.startswith(beginning):
            return body.decode(name, "replace").removeprefix(BYTE_ORDER_MARK)
    text = _utf8(body)
    if text is not None:
        return text
    declarations = map(DECLARED.search, (content_type, body[:HEAD_BYTES].decode("latin-1")))
    labels = [match[1].lower() for match in declarations if match]
    known = [codec for label in labels if (codec := _codec_of(label))]
    if all(SUPERSETS.get(label) == "cp1252" or not _codec_of(label) for label in labels):
        known.insert(0, _guess_codec(body))  # no charset is declared, or a server's default
    for codec in known:
        with suppress(UnicodeDecodeError):
            return body.decode(codec)
    return body.decode(next((codec for codec in known if codec != "utf-8"), "cp1252"), "replace")


def _utf8(body: bytes) -> str | None:
    """Decode `body` as UTF-8, None if it is not UTF-8; a few bad bytes (a cut page, one advert) are accepted."""
    if b"\x1b$" in body[:HEAD_BYTES]:  # ISO-2022-JP has only ASCII bytes
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
        bad = text.count("\ufffd")
        good = len(text) - len(text.encode("ascii", "ignore")) - bad
        return text if bad * 50 < good else None


def _guess_codec(body: bytes) -> str:
    """Return the codec that chardet detects for the text of `body`; "cp1252" with too few or only non-ASCII bytes."""
    sample = MARKUP_BYTES.sub(b" ", body[:CHARDET_BYTES])
    if not MIN_BEYOND_ASCII <= len(sample) - len(sample.decode("ascii", "ignore")) < len(sample):
        return "cp1252"
    import chardet  # late: only pages whose charset is not known need it

    guesses = chardet.detect_all(sample, include_encodings=GUESSED, prefer_superset=True, compat_names=False)
    best = [guess["encoding"] for guess in guesses if guess["confidence"] == guesses[0]["confidence"]]
    return "cp1252" if "cp1252" in best else best[0] or "cp1252"


def replace_surrogates(text: str) -> str:
    """Return `text` with "?" for each lone surrogate, and without NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
