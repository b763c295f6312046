"""From a feed's bytes to its text: whatever the header and the declaration claim, entries survive."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

# How bytes begin in an encoding: with its byte order mark, or with a "<". The longer ones come first.
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
DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})")
IN_HEADER = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
EBCDIC = b"\x4c\x6f\xa7\x94"  # "<?xm"
# What pages mean by these names is Windows' superset (WHATWG Encoding); UTF-7 hides markup and is not read.
MEANT = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
NOT_READ = frozenset(("utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"))
# These look like ASCII.
ESCAPED = frozenset(("iso2022_jp", "iso2022_kr", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "hz"))


def decode_feed(body: bytes, content_type: str | None = None) -> str:
    """
    Return the text of `body`; never fails.

    A byte order mark decides; then the bytes themselves where they are well-formed UTF-8 beyond ASCII; then the
    declaration and the header (RFC 7303 has it the other way round, and real headers carry a server's default). Bytes
    that do not fit a claimed UTF-8 are read one by one as Windows-1252.
    """
    for beginning, name in BEGINNINGS:
        if body.startswith(beginning):
            return body.decode(name, "cp1252-for-the-rest" if name == "utf-8" else "replace").removeprefix("\ufeff")
    claims = declared_encodings(body, content_type)
    if not any(name in ESCAPED or name.startswith("utf-16") for name in claims):
        claims.insert(0, "utf-8")
    for name in claims:
        with suppress(UnicodeDecodeError, LookupError):
            return body.decode(name)
    return body.decode("utf-8", "cp1252-for-the-rest")


def declared_encodings(body: bytes, content_type: str | None) -> list[str]:
    """Return the names of the codecs that the declaration and the header claim, the declaration first."""
    head = body[:400].decode("cp037").encode("latin-1", "replace") if body.startswith(EBCDIC) else body[:400]
    written = [found[1].decode("ascii") for found in DECLARED.finditer(head)][:1]
    written += IN_HEADER.findall(content_type or "")[:1]
    names: list[str] = []
    for label in written:
        with suppress(LookupError, ValueError):
            name = codecs.lookup(label).name
            name = MEANT.get(name, name)
            # rot13, zip and their like turn bytes into no text.
            is_text = getattr(codecs.lookup(name), "_is_text_encoding", True)
            if is_text and name != "utf-8" and name not in NOT_READ:
                names.append(name)
    return names


def read_as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Codec error handler: read the bytes that are no UTF-8 as Windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("cp1252-for-the-rest", read_as_cp1252)
