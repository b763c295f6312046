"""A page's bytes as text."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.clean.decode import decode

TEXT = "<p>Größe – “quoted” naïve</p>"


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (codecs.BOM_UTF8 + TEXT.encode(), "text/html; charset=iso-8859-1"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), None),
        (TEXT.encode(), None),
        (TEXT.encode(), "text/html; charset=iso-8859-1"),
        (TEXT.encode("cp1252"), "text/html; charset=ISO-8859-1"),
        (TEXT.encode("cp1252"), None),
        (TEXT.encode("cp1252"), "text/html; charset=utf-8"),
        (TEXT.encode("cp1252"), "text/html; charset=nonsense"),
    ],
)
def test_text_comes_out_without_mojibake(body: bytes, header: str | None) -> None:
    assert decode(body, header) == TEXT


@pytest.mark.parametrize(
    ("encoding", "label", "text"),
    [
        ("cp932", "Shift_JIS", "東京で会議①"),
        ("gb18030", "gb2312", "北京举行会议"),
        ("cp949", "euc-kr", "서울에서 회의"),
        ("cp1251", "windows-1251", "Москва"),
        ("iso-2022-jp", "iso-2022-jp", "東京で会議"),
        ("cp1254", "iso-8859-9", "İstanbul’da"),
    ],
)
def test_the_pages_own_charset_is_read(encoding: str, label: str, text: str) -> None:
    body = f'<meta charset="{label}"><p>{text}</p>'.encode(encoding)

    assert text in decode(body, None)


def test_one_bad_byte_does_not_spoil_a_page_of_utf8() -> None:
    body = ("Grüße aus Köln. " * 50).encode() + b"\xff" + b"Ende"

    assert decode(body, None).startswith("Grüße aus Köln.")


@given(st.binary(max_size=200), st.none() | st.text(max_size=40))
def test_any_bytes_give_text(body: bytes, header: str | None) -> None:
    assert "\x00" not in decode(body, header)
