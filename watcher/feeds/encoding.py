"""Decodes the bytes of a feed or of a list of feeds, also if the declared encodings are wrong."""

import codecs
import re
from contextlib import suppress

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
DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})")
IN_HEADER = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
EBCDIC = b"\x4c\x6f\xa7\x94"  # "<?xm"
# Encodings that are read as their Windows supersets (WHATWG Encoding); UTF-7 can hide markup and is not read.
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
# Encodings with only ASCII bytes.
ESCAPED = frozenset(("iso2022_jp", "iso2022_kr", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "hz"))


def decode_feed(body: bytes, content_type: str | None = None) -> str:
    """
    Return the text of `body`; never fails.

    Tried in order: byte order mark, valid UTF-8 (unless an ASCII-like encoding or UTF-16 is declared), the declaration,
    the header (RFC 7303 prefers the header, but it often has a server's default). If all fail, the text is UTF-8 with
    the invalid bytes read as Windows-1252.
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
    """Return the codecs named by the XML declaration and the header, in this order; without UTF-8 and unusable ones."""
    head = body[:400].decode("cp037").encode("latin-1", "replace") if body.startswith(EBCDIC) else body[:400]
    written = [found[1].decode("ascii") for found in DECLARED.finditer(head)][:1]
    written += IN_HEADER.findall(content_type or "")[:1]
    names: list[str] = []
    for label in written:
        with suppress(LookupError, ValueError):
            name = codecs.lookup(label).name
            name = MEANT.get(name, name)
            # Codecs such as rot13 and zip do not decode bytes to text.
            is_text = getattr(codecs.lookup(name), "_is_text_encoding", True)
            if is_text and name != "utf-8" and name not in NOT_READ:
                names.append(name)
    return names


def read_as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Decode bytes that are not valid UTF-8 as Windows-1252; a codec error handler."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("cp1252-for-the-rest", read_as_cp1252)
