"""OPML, read from hostile bytes and written."""

from __future__ import annotations

import time
from contextlib import suppress
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.errors import OpmlError
from watcher.feeds.opml import MAX_OUTLINE_DEPTH, Opml, OpmlFeed, parse_opml, render_opml

TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=20)
FEEDS = st.builds(
    OpmlFeed,
    url=TEXT.map(lambda text: f"https://example.org/{text}"),
    title=TEXT,
    section=st.none() | TEXT,
    language=st.none() | st.sampled_from(["en", "pt-BR"]),
    country=st.none() | st.just("FR"),
    owner=st.none() | TEXT,
    tags=st.lists(TEXT.filter(lambda text: ";" not in text), max_size=3).map(tuple),
    every=st.none() | st.just("1h"),
    full_text=st.booleans(),
    enabled=st.booleans(),
    user_agent=st.none() | TEXT,
    headers=st.dictionaries(TEXT, TEXT, max_size=3),
)


def opml(body: str, head: str = "") -> bytes:
    return f'<opml version="2.0"><head>{head}</head><body>{body}</body></opml>'.encode()


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(FEEDS, max_size=8, unique_by=lambda feed: feed.url), TEXT)
def test_what_is_written_is_read_back(feeds, title):
    written = render_opml(feeds, title=title)

    read = parse_opml(written.encode())

    assert (ElementTree.fromstring(written).findtext("head/title") or "").strip() == title
    assert sorted(read.feeds, key=lambda feed: feed.url) == sorted(feeds, key=lambda feed: feed.url)
    assert read.faults == ()
    assert render_opml(read.feeds, title=title) == written


@settings(deadline=None)
@given(st.binary(max_size=400) | st.text("<>&;!?/= \"'opmlutne", max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words(data):
    try:
        assert isinstance(parse_opml(data), Opml)
    except OpmlError as error:
        assert str(error).startswith("OPML: ")


def test_folders_in_folders_make_one_section():
    read = parse_opml(
        opml('<outline text="World"><outline title="Asia"><outline xmlUrl="https://a.org/f"/></outline></outline>')
    )

    assert [feed.section for feed in read.feeds] == ["World / Asia"]


def test_a_category_is_the_section_of_a_feed_outside_folders():
    read = parse_opml(opml('<outline xmlUrl="https://a.org/f" category="/World/Asia,/News"/>'))

    assert [feed.section for feed in read.feeds] == ["World / Asia"]


def test_names_are_read_in_any_case_and_ampersands_are_forgiven():
    read = parse_opml(opml('<outline TEXT="Q&A" XMLURL="https://a.org/f?a=1&b=2&amp;c=3"/>'))

    assert [(feed.title, feed.url) for feed in read.feeds] == [("Q&A", "https://a.org/f?a=1&b=2&c=3")]


@pytest.mark.parametrize(
    ("outline", "title", "repairs"),
    [
        ('<outline text="Q&A" xmlUrl="https://a.org/f"/>', "Q&A", 1),
        ('<outline text="Caf&eacute; &amp; more&#x1;" xmlUrl="https://a.org/f"/>', "Café & more", 2),
        ('<outline text="a < b" xmlUrl="https://a.org/f"/>', "a < b", 1),
        (
            '<outline text="The "Daily" News" title="The "Daily" News" xmlUrl="https://a.org/f" />',
            'The "Daily" News',
            1,
        ),
        (
            """<outline title="A" description="<p>By <a href="https://b.org" target="_blank">B</a> "or" <i>C</i></p>"
            xmlUrl="https://a.org/f" type="rss"/><!-- < -->""",
            "A",
            1,
        ),
        ("<outline title='A' text='<b>' xmlUrl='https://a.org/f'></outline>", "A", 1),
        ('<outline text=""A" is B" x:y="1" xmlUrl="https://a.org/f"/>', '"A" is B', 1),
    ],
)
def test_what_many_programs_write_instead_of_xml_is_read_and_counted(outline, title, repairs):
    sound = '<outline text="World"><outline z="1" xmlUrl="https://z.org/f" text="Z"/></outline>'

    read = parse_opml(opml(outline + sound, head="<title>Mine</title>"))

    assert [(feed.title, feed.url) for feed in read.feeds] == [(title, "https://a.org/f"), ("Z", "https://z.org/f")]
    assert (read.feeds[1].section, read.repairs, read.faults) == ("World", repairs, ())


def test_a_head_with_bare_brackets_does_not_stop_the_feeds():
    read = parse_opml(opml('<outline text="A" xmlUrl="https://a.org/f"/>', head="<title>Mine < yours</title>"))

    assert [feed.title for feed in read.feeds] == ["A"]


@pytest.mark.parametrize("filler", ['"', '" ', "<outline ", '">', "<outline a='1' ", "&", ' text="'])
def test_a_damaged_file_is_read_in_linear_time(filler):
    started = time.process_time()

    with suppress(OpmlError):
        parse_opml(opml("<outline " + filler * (200_000 // len(filler)) + "/>"))

    assert time.process_time() - started < 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252", "no-such"])
def test_the_declared_encoding_is_used_if_there_is_such_a_one(encoding):
    text = (
        f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
        + opml('<outline text="Zo\u00eb" xmlUrl="https://a.org/f"/>').decode()
    )
    data = text.encode("utf-8" if encoding == "no-such" else encoding)

    assert [feed.title for feed in parse_opml(data).feeds] == ["Zoë"]


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("feed://a.org/f", "http://a.org/f"),
        ("feed:https://a.org/f", "https://a.org/f"),
        ("Feed:http://a.org/f", "http://a.org/f"),
    ],
)
def test_an_address_to_subscribe_by_is_the_one_in_it(said, url):
    assert [feed.url for feed in parse_opml(opml(f'<outline xmlUrl="{said}"/>')).feeds] == [url]


def test_what_cannot_be_used_is_named_and_the_rest_is_kept():
    read = parse_opml(
        opml(
            '<outline text="A" xmlUrl="javascript:alert(1)"/><outline type="rss" text="B"/>'
            '<outline text="C" xmlUrl="https://c.org/f"/><outline text="C again" xmlUrl="https://c.org/f"/>'
        )
    )

    assert [feed.title for feed in read.feeds] == ["C"]
    assert len(read.faults) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'<!DOCTYPE opml [<!ENTITY a "b">]><opml/>', "entities"),
        ('<!DOCTYPE opml [<!ENTITY a "b">]><opml/>'.encode("utf-16"), "entities"),
        (b'<!DOCTYPE opml [<!entity a SYSTEM "file:///etc/passwd">]><opml/>', "entities"),
        (b"<rss><channel/></rss>", "not OPML"),
        (b"", "not XML"),
        (b"<opml><body>", "not XML"),
        (opml("<outline>" * (MAX_OUTLINE_DEPTH + 1)), "too deeply"),
        (b" " * (10 * 1024 * 1024 + 1), "larger than"),
    ],
)
def test_hostile_files_are_refused(data, words):
    with pytest.raises(OpmlError, match=words):
        parse_opml(data)
