"""A page's bytes as text: byte order mark, header, meta, and what browsers do where these lie."""

from __future__ import annotations

import codecs
import re

import chardet

HEAD_BYTES = 4096  # where a charset declaration is looked for; browsers look at 1024
# Labels that browsers read as a superset (WHATWG Encoding Standard, labels).
SUPERSETS = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso-8859-9": "cp1254",
    "latin5": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "unicode": "utf-8",
    "utf8": "utf-8",
    "utf-16": "utf-8",  # a declaration that can be read as ASCII cannot stand in UTF-16
    "utf-16le": "utf-8",
    "utf-16be": "utf-8",
    "x-user-defined": "cp1252",
}
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
IN_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
SAMPLE_BYTES = 60_000  # that chardet reads: 1 ms
MIN_BEYOND_ASCII = 15  # bytes: fewer tell nothing
MARKUP = re.compile(rb"<script.*?(?:</script>|\Z)|<style.*?(?:</style>|\Z)|<[^<>]{0,2000}+>", re.DOTALL | re.IGNORECASE)
# What browsers read, without UTF-8, which `decode` has tried. Of 679 pages without a charset, chardet knows 674 with
# this list and 516 with all that it knows: DOS and ISO relatives of windows-1252 take its German and Swedish pages.
GUESSED = (
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp866", "cp874", "cp932",
    "cp949", "koi8-r", "koi8-u", "gb18030", "big5hkscs", "euc-jp",
)  # fmt: skip


def decode(body: bytes, content_type: str | None = None) -> str:
    """
    Return the text of a page's `body`.

    A byte order mark wins, then valid UTF-8 (no other encoding looks like that by chance), then the header's charset,
    the page's own, what chardet says of the letters (`guess`), and windows-1252. Bytes that still do not fit
    become U+FFFD; NUL goes.

    Source: WHATWG Encoding Standard (labels), HTML §13.2.3 (determining the character encoding).
    """
    for bom, name in BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name, "replace").replace("\x00", "")
    text = _utf8(body)
    if text is not None:
        return text.replace("\x00", "")
    header = IN_HEADER.search(content_type or "")
    meta = DECLARED.search(body[:HEAD_BYTES])
    labels = [header.group(1)] if header else []
    labels += [meta.group(1).decode("ascii")] if meta else []
    if all(SUPERSETS.get(label.lower()) == "cp1252" or _codec(label) is None for label in labels):
        labels.insert(0, guess(body))  # nothing said, or what servers say of any page
    fits = [fit for label in labels if (fit := _strict(body, label)) is not None]
    if fits:
        return fits[0].replace("\x00", "")
    known = [codec for label in labels if (codec := _codec(label)) is not None and codec != "utf-8"]
    return body.decode(known[0] if known else "cp1252", "replace").replace("\x00", "")


def _utf8(body: bytes) -> str | None:
    """Return `body` as UTF-8 if it is that, or all but a few bytes of it (a page cut in the middle, one bad advert)."""
    if b"\x1b$" in body[:HEAD_BYTES]:  # ISO-2022-JP is ASCII to look at
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
        bad = text.count("\ufffd")
        good = sum(1 for char in text if char > "\x7f") - bad
        return text if bad * 50 < good else None


def guess(body: bytes) -> str:
    """Return the codec that chardet finds for the text of `body`; "cp1252" where too little or all is beyond ASCII."""
    sample = MARKUP.sub(b" ", body[:SAMPLE_BYTES])
    if not MIN_BEYOND_ASCII <= sum(byte > 0x7F for byte in sample) < len(sample):
        return "cp1252"
    found = chardet.detect_all(sample, include_encodings=GUESSED, prefer_superset=True, compat_names=False)
    best = [one["encoding"] for one in found if one["confidence"] == found[0]["confidence"]]
    return "cp1252" if "cp1252" in best else best[0] or "cp1252"


def _strict(body: bytes, label: str) -> str | None:
    name = _codec(label)
    if name is None:
        return None
    try:
        return body.decode(name)
    except UnicodeDecodeError:
        return None


def _codec(label: str) -> str | None:
    """Return Python's codec for a charset label, None if there is none that makes text of bytes."""
    name = SUPERSETS.get(label.lower(), label)
    try:
        info = codecs.lookup(name)
        b"a".decode(name)
    except (LookupError, UnicodeError, ValueError):
        return None
    return info.name
