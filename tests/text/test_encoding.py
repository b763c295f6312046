"""The text in the bytes of pages."""

from __future__ import annotations

import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.text.titles import TITLES
from watcher.text.encoding import _guess_codec, decode_page

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
    assert decode_page(body, header) == TEXT


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

    assert text in decode_page(body, None)


def test_one_bad_byte_does_not_spoil_a_page_of_utf8() -> None:
    body = ("Grüße aus Köln. " * 50).encode() + b"\xff" + b"Ende"

    assert decode_page(body, None).startswith("Grüße aus Köln.")


@given(st.binary(max_size=200), st.none() | st.text(max_size=40))
def test_any_bytes_give_text(body: bytes, header: str | None) -> None:
    assert "\x00" not in decode_page(body, header)


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("ru", "cp1251"), ("ru", "koi8-r"), ("ru", "cp866"), ("uk", "cp1251"), ("bg", "cp1251"), ("ar", "cp1256"),
        ("he", "cp1255"), ("el", "cp1253"), ("th", "cp874"), ("zh", "gb18030"), ("ko", "cp949"), ("pl", "cp1250"),
        ("cs", "cp1250"), ("sk", "cp1250"), ("hr", "cp1250"), ("tr", "cp1254"), ("de", "cp1252"), ("fr", "cp1252"),
        ("es", "cp1252"), ("pt", "cp1252"), ("sv", "cp1252"), ("no", "cp1252"), ("fi", "cp1252"), ("is", "cp1252"),
    ],
)  # fmt: skip
def test_a_page_that_says_nothing_of_its_coding_is_told_by_its_letters(language: str, encoding: str) -> None:
    page = f"<html><title>x</title><p>{' '.join(TITLES[language] * 3)}</p></html>"

    assert decode_page(page.encode(encoding)) == page
    assert decode_page(page.encode(encoding), "text/html; charset=iso-8859-1") == page


def test_japanese_is_told_by_its_kana() -> None:
    page = "<p>港の事務所は月曜日、冬の間に修理していたフェリーが五月からまた走ると発表した。</p>" * 3

    assert decode_page(page.encode("euc-jp")) == page
    assert decode_page(page.encode("cp932")) == page


def test_few_letters_beyond_ascii_tell_nothing() -> None:
    assert _guess_codec("A café in Köln".encode("cp1252")) == "cp1252"
    assert _guess_codec(b"plain") == "cp1252"
    assert _guess_codec(bytes(range(128, 256)) * 9) == "cp1252"


def test_what_a_page_says_of_its_coding_is_believed() -> None:
    page = f"<meta charset=windows-1251><p>{' '.join(TITLES['bg'])}</p>"

    assert decode_page(page.encode("cp1251")) == page


def test_japanese_of_a_long_page_is_told_in_bounded_time() -> None:
    text = "港の事務所は月曜日、冬の間に修理していたフェリーが五月からまた走ると発表した。"
    page = f"<script>{'x' * 20_000}</script>" + f"<p>{text}</p>" * 50_000
    started = time.process_time()

    assert decode_page(page.encode("cp932")) == page
    assert time.process_time() - started < 1


@pytest.mark.parametrize("piece", [b"<script>", b"<style ", b"<", b"<a \xe9", b"\xe9\xe8\xea", b"\x81\xff"])
def test_bytes_made_to_be_hard_to_tell_cost_little(piece: bytes) -> None:
    started = time.process_time()

    decode_page(b"\xff" * 20 + piece * (2_000_000 // len(piece)))

    assert time.process_time() - started < 1
