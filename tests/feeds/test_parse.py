"""Feeds of every format and in every state of disrepair."""

from __future__ import annotations

import pickle
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.feeds.written import URL, atom, read, rss
from watcher.errors import FeedError
from watcher.feeds.parse import parse_feed

ITEM = "<title>One</title><link>https://a.example/1</link><guid isPermaLink='false'>g1</guid>"


def test_rss_gives_every_field():
    channel = (
        "<link>https://a.example/</link><language>en-gb</language><ttl>60</ttl>"
        "<atom:link rel='hub' href='https://hub.example/'/>"
        "<skipHours><hour>3</hour><hour>24</hour><hour>x</hour></skipHours><skipDays><day>Sunday</day></skipDays>"
    )
    item = (
        f"{ITEM}<description>&lt;p&gt;Short &amp;amp; sweet.&lt;/p&gt;</description>"
        "<content:encoded><![CDATA[<p>Long "
        "<script>bad()</script><a href='/x' onclick='y'>text</a></p>]]></content:encoded>"
        "<dc:creator>Ann Bee</dc:creator><category>World</category><pubDate>Tue, 24 Nov 2026 09:05:00 GMT</pubDate>"
        "<media:thumbnail url='/pic.jpg'/>"
    )
    spaces = (
        'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/"'
    )

    feed = read(rss(item, channel=channel, attributes=spaces))

    (one,) = feed.entries
    assert (feed.title, feed.link, feed.language) == ("The Feed", "https://a.example/", "en-gb")
    assert (feed.ttl_s, feed.skip_hours, feed.skip_days, feed.hub) == (
        3600.0,
        (0, 3),
        ("sunday",),
        "https://hub.example/",
    )
    assert (one.guid, one.url, one.title, one.summary) == ("g1", "https://a.example/1", "One", "Short & sweet.")
    assert one.text == "Long text"
    assert (one.authors, one.image) == (("Ann Bee",), "https://a.example/pic.jpg")
    assert one.published_at == datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
    assert feed.faults == ()


def test_atom_gives_every_field():
    entry = (
        "<id>urn:1</id><title type='text'>1 &lt; 2 &amp; 3</title><link rel='self' href='https://a.example/self'/>"
        "<link rel='alternate' href='https://a.example/1'/><summary type='html'>&lt;b&gt;Short&lt;/b&gt;</summary>"
        "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>Long</p></div></content>"
        "<author><name>Ann</name></author><author><name>Bob</name></author><category term='w' label='World'/>"
        "<published>2026-11-24T09:05:00Z</published><updated>2026-11-24T11:05:00+01:00</updated>"
    )

    (one,) = read(atom(entry, attributes="xml:lang='fr'")).entries

    assert (one.guid, one.url, one.title, one.summary) == ("urn:1", "https://a.example/1", "1 < 2 & 3", "Short")
    assert one.text == "Long" and one.authors == ("Ann", "Bob")
    assert (one.published_at, one.updated_at) == (
        datetime(2026, 11, 24, 9, 5, tzinfo=UTC),
        datetime(2026, 11, 24, 10, 5, tzinfo=UTC),
    )


def test_a_summary_that_is_the_content_is_markup_where_the_content_is():
    plain_text = "<id>1</id><content type='text'>a &lt;tt&gt; b</content>"
    markup = "<id>2</id><content type='html'>safe&lt;link rel='x'&gt; text</content>"
    encoded = (
        "<guid>3</guid><content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        "<![CDATA[<blink>safe</blink> text]]></content:encoded>"
    )

    one, two = read(atom(plain_text, markup)).entries
    (three,) = read(rss(encoded)).entries

    assert (one.summary, two.summary, three.summary) == ("a <tt> b", "safe text", "safe text")


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("", "", 3),  # no tag, and a long line: each line is a paragraph
        ("<b>", "</b>", 1),
    ],
)
def test_the_lines_of_a_text_without_markup_are_paragraphs(before, after, lines):
    body = f"{before}The harbour{after} is open again\nShips waited for a day\n" + "The first ship left at noon. " * 30

    (one,) = read(rss(f"<guid>1</guid><title>x</title><description><![CDATA[{body}]]></description>")).entries

    assert len(one.text.split("\n")) == lines


def test_the_lines_of_a_text_that_a_program_has_wrapped_are_none():
    body = "\n".join(["The harbour of the town is open again, and the first of the ships left"] * 12)

    (one,) = read(rss(f"<guid>1</guid><title>x</title><description><![CDATA[{body}]]></description>")).entries

    assert "\n" not in one.text and len(one.text) > 500


def test_an_atom_content_that_is_no_text_is_left_out():
    film = "<id>1</id><title>x</title><content type='video/mp4'>aGVsbG8=</content>"
    coded = (
        "<id>2</id><title>x</title><content type='application/octet-stream' mode='base64'>PHA+VGV4dDwvcD4=</content>"
    )

    one, two = read(atom(film, coded)).entries

    assert (one.text, two.text) == ("", "Text")


def test_rss_1_is_read():
    body = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">'
        b'<channel rdf:about="https://a.example/"><title>T</title><link>https://a.example/</link>'
        b"<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency></channel>"
        b'<item rdf:about="https://a.example/1"><title>One</title><link>https://a.example/1</link>'
        b"<dc:date>2026-11-24T09:05:00Z</dc:date></item></rdf:RDF>"
    )

    feed = read(body)

    assert feed.ttl_s == 12 * 3600
    assert [(one.title, one.url) for one in feed.entries] == [("One", "https://a.example/1")]
    assert feed.entries[0].published_at == datetime(2026, 11, 24, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n\xef\xbb\xbf ", "empty"),
        (b"<!DOCTYPE html><html><body>Hello</body></html>", "an HTML page"),
        (
            b"<html><head><link rel=alternate type=application/rss+xml href=/rss></head>",
            "links to these feeds: https://a.example/rss",
        ),
        (b"<html><title>Just a moment...</title></html>", "a bot wall"),
        (b'{"error": "not found"}', "not a JSON Feed"),
        (b'{"items": [1, 2]}', "not a JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": [', "invalid JSON"),
        (b"[" * 100_000, "JSON"),
        (b"<urlset><url><loc>x</loc></url></urlset>", "a sitemap"),
        (b"<opml><body/></opml>", "to import"),
        (b"Service temporarily unavailable", "neither XML nor JSON"),
        (bytes(range(256)) * 10, "binary data, not a feed"),
        (b"\x7fELF\0\0\0\x01<gs k>" * 10, "binary data"),
        (b"%PDF-1.7\n<< /Length 3 >> stream <wsa /> endstream", "a PDF file"),
        (b"PK\x03\x04\x14\0 feed.xml <h> \0", "a zip file"),
        ("<note>Grüße</note>".encode("utf-16"), "its root is <note>"),
    ],
)
def test_what_is_no_feed_is_named(body, reason):
    with pytest.raises(FeedError) as caught:
        read(body)

    assert reason in str(caught.value.reason) and caught.value.url == URL


@pytest.mark.parametrize(
    "body",
    [
        rss(ITEM).replace(b"One", b"One & more"),
        rss(ITEM).replace(b"</title>", b"", 1),
        rss(ITEM).replace(b"</channel></rss>", b""),
        rss(ITEM).replace(b"One", b"On\0e \x0b&#0;&#x1f;&#xffff;&#99999999999;&nosuch;&nbsp;"),
        b"\n\n  junk " + rss(ITEM),
        b"<br /><b>Warning</b>: oops in /x.php" + rss(ITEM),
        rss(ITEM).replace(b"utf-8", b"no-such-charset"),
        rss(ITEM).replace(b"One", "Один".encode("cp1251")).replace(b"utf-8", b"windows-1251"),
        rss(ITEM).replace(b"One", b"caf\xe9 \x93quoted\x94"),
        rss(ITEM).decode().replace("utf-8", "utf-16").encode("utf-16"),
        rss(ITEM).decode().encode("utf-16-le"),
        b"\xef\xbb\xbf" + rss(ITEM),
        rss(ITEM).replace(b"rss", b"RSS"),
    ],
    ids=[
        "ampersand",
        "unclosed",
        "cut",
        "controls",
        "junk",
        "php",
        "charset",
        "cp1251",
        "latin1",
        "utf16",
        "bare16",
        "bom",
        "upper",
    ],
)
def test_entries_survive(body):
    (one,) = read(body).entries

    assert (one.guid, one.url) == ("g1", "https://a.example/1")
    assert "\0" not in one.title and one.title


def test_a_tag_left_open_in_one_item_swallows_no_other():
    link = "<link>https://a.example/?a=1&b={n}</link>"
    start = "<title>{n} & more</title><guid isPermaLink='false'>g{n}</guid>" + link + "<description>text&nbsp;{n}"
    items = [start.format(n=n) for n in (1, 2, 3)]

    feed = read(rss(items[0] + "</description>", items[1], items[2] + "</description>"))

    assert [(one.guid, one.title, one.url, one.summary) for one in feed.entries] == [
        (f"g{n}", f"{n} & more", f"https://a.example/?a=1&b={n}", f"text {n}") for n in (1, 2, 3)
    ]
    assert feed.faults[0] == "not well-formed XML"


@pytest.mark.parametrize(
    ("body", "is_cut"),
    [
        (rss(ITEM, ITEM)[:-30], True),
        (rss(ITEM, "<title>Two")[:-12], True),
        (
            b"<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><entry><id>g1</id><title>One</title></entry>",
            True,
        ),
        (rss(ITEM), False),
        (rss(ITEM.replace("One", "A & B")), False),  # broken, and whole
        (rss(ITEM.replace("One", "A & B")) + b"<!-- made in 0.3 s -->", False),
    ],
)
def test_a_feed_that_ends_in_the_middle_is_read_as_far_as_it_goes_and_says_so(body, is_cut):
    feed = read(body)

    assert feed.entries[0].title in ("One", "A & B")
    assert (feed.is_cut, "it ends in the middle" in feed.faults) == (is_cut, is_cut)


def test_a_stray_byte_spoils_no_other_letter():
    body = rss("<title>naïve – café</title><link>https://a.example/1</link>").replace("ï".encode(), b"\xef")

    assert read(body).entries[0].title == "naïve – café"


@pytest.mark.parametrize(
    "served_as", [None, "text/plain", "text/html; charset=iso-8859-1", "application/octet-stream", "x;charset=rot13"]
)
def test_the_content_type_is_a_hint_only(served_as):
    body = rss("<title>Zürich – 東京</title><link>https://a.example/1</link>")

    assert read(body, content_type=served_as).entries[0].title == "Zürich – 東京"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("A & B", "A & B"),
        ("caf&eacute; &nbsp;&mdash; b", "café — b"),
        ("x &nosuch; y&#99999999999;", "x &nosuch; y"),
        ("x &#x110000 y&#1114112; &#2000000 & z", "x y & z"),
        ("1 &lt; 2 & 3", "1 < 2 & 3"),
    ],
)
def test_a_feed_whose_references_are_no_xml_keeps_its_titles_and_says_so(title, shown):
    feed = read(rss(ITEM.replace("One", title)))

    assert (feed.entries[0].title, feed.faults[0]) == (shown, "not well-formed XML")


def test_entity_declarations_are_never_expanded_and_the_entries_survive():
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "lol">{lol}<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    started = time.process_time()

    feed = read(bomb.encode() + rss(ITEM.replace("One", "One &l9; &x;")).partition(b"?>")[2])

    assert time.process_time() - started < 1
    assert feed.entries[0].guid == "g1" and len(feed.entries[0].title) < 50
    assert any("entity declarations" in fault for fault in feed.faults)


def test_links_resolve_by_xml_base_then_channel_link_then_feed():
    item = "<title>x</title><link>{}</link><guid isPermaLink='false'>{}</guid>"
    plain = read(rss(item.format("story/1", 1), item.format("/root", 2), item.format("../up?q=1#f", 3)))
    channel = read(
        rss(
            item.format("story/1", 1),
            item.format("//b.example/x", 2),
            channel="<link>https://www.a.example/news/</link>",
        )
    )
    based = read(
        atom(
            "<id>1</id><link href='1'/>",
            "<id>2</id><link href='2'/>",
            "<id>3</id><link href='../3'/>",
        ).replace(b"<entry><id>1", b"<entry xml:base='https://b.example/x/'><id>1")
    )

    assert [one.url for one in plain.entries] == [
        "https://a.example/dir/story/1",
        "https://a.example/root",
        "https://a.example/up?q=1#f",
    ]
    assert [one.url for one in channel.entries] == ["https://www.a.example/news/story/1", "https://b.example/x"]
    assert [one.url for one in based.entries] == [
        "https://b.example/x/1",
        "https://a.example/dir/2",
        "https://a.example/3",
    ]


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "mailto:a@b", "", "http://", "java\nscript:x", "file:///etc/passwd"],
)
def test_only_http_links_come_through_and_the_entry_survives(link):
    (one,) = read(rss(f"<title>x</title><link>{link}</link><guid isPermaLink='false'>g</guid>")).entries

    assert one.url is None and one.guid == "g"


def test_a_feeds_credentials_do_not_reach_its_links():
    feed = parse_feed(rss("<title>x</title><link>/1</link>"), url="https://user:pass@a.example/feed")

    assert feed.entries[0].url == "https://a.example/1"


def test_identity_is_the_guid_or_else_the_link_or_else_the_text():
    same = read(
        rss(*(f"<title>{n}</title><link>https://a.example/{n}?utm_source=x</link><guid>same</guid>" for n in (1, 2)))
    )
    none = read(rss("<title>a</title><link>https://a.example/1</link>", "<title>b</title><description>c</description>"))
    mixed = read(
        rss(
            *(
                f"<title>{n}</title><link>https://a.example/{n}</link><guid isPermaLink='false'>{n // 2}</guid>"
                for n in range(4)
            )
        )
    )

    assert [one.guid for one in same.entries] == ["https://a.example/1", "https://a.example/2"]
    assert none.entries[0].guid == "https://a.example/1" and len(none.entries[1].guid) == 32
    assert [one.guid for one in mixed.entries] == ["0", "https://a.example/1", "1", "https://a.example/3"]


def test_the_hash_changes_with_title_summary_or_content_and_with_nothing_else():
    base = "<guid isPermaLink='false'>g</guid><title>{}</title><description>{}</description><link>https://a.example/{}</link>"
    hashes = [
        read(rss(base.format(*fill))).entries[0].content_hash
        for fill in (("a", "b", 1), ("a", " b\n", 2), ("a", "c", 1), ("b", "b", 1))
    ]

    assert hashes[0] == hashes[1] and len(set(hashes)) == 3


def test_what_is_known_and_the_same_comes_back_without_its_text():
    body = rss(ITEM + "<description>a</description>", "<title>Two</title><description>b</description>")
    known = {one.guid: one.content_hash for one in read(body).entries[:1]}

    one, two = read(body, known=known).entries

    assert (one.summary, one.title, one.content_hash) == ("", "One", known["g1"])
    assert two.summary == "b"


def test_dates_that_cannot_be_believed_are_none():
    dates = [
        "Fri, 25 Dec 2026 09:00:00 GMT",
        "garbage",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Wed, 25 Nov 2026 20:00:00 GMT",
    ]

    feed = read(rss(*(f"<title>{n}</title><guid>{n}</guid><pubDate>{date}</pubDate>" for n, date in enumerate(dates))))

    assert [one.published_at is None for one in feed.entries] == [True, True, True, False]
    assert any("3 of 4 entries without a plausible date" in fault for fault in feed.faults)


def test_of_too_many_entries_the_newer_end_is_read():
    def items(days: list[int]) -> bytes:
        return rss(
            *(f"<title>{d}</title><guid>{d}</guid><pubDate>{d:02d} Oct 2026 00:00:00 GMT</pubDate>" for d in days)
        )

    down, up = read(items([*range(30, 0, -1)]), max_entries=5), read(items([*range(1, 31)]), max_entries=5)

    assert [one.title for one in down.entries] == ["30", "29", "28", "27", "26"]
    assert [one.title for one in up.entries] == ["26", "27", "28", "29", "30"]
    assert down.title == up.title == "The Feed"
    assert any("25 of 30 entries left out" in fault for fault in down.faults)


def test_a_huge_feed_costs_little():
    body = rss(*(f"<title>{n}</title><guid>{n}</guid><description>{'x' * 300}</description>" for n in range(20_000)))
    started = time.process_time()

    feed = read(body)

    assert len(feed.entries) == 500 and time.process_time() - started < 2


def test_entries_that_are_never_closed_cost_little():
    body = b"<rss version='2.0'><channel><title>The Feed</title>" + b"<item><title>x</title>" * 200_000
    started = time.process_time()

    feed = read(body)

    assert feed.title == "The Feed" and len(feed.entries) == 1 and time.process_time() - started < 2


def test_a_feed_without_entries_is_a_feed():
    assert read(rss()).entries == ()


def test_what_is_parsed_can_cross_to_another_process():
    feed = read(rss(ITEM))

    assert pickle.loads(pickle.dumps(feed)) == feed
    with pytest.raises(FeedError) as caught:
        read(b"")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.url, again.reason) == (URL, caught.value.reason)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_gives_a_feed_or_a_named_error(data):
    """Cut, double, drop and overwrite pieces of good feeds: entries stay storable, errors stay FeedErrors."""
    good = [
        rss(ITEM, ITEM.replace("g1", "g2")),
        atom("<id>1</id><title>x</title>"),
        b'{"version":"https://jsonfeed.org/version/1","items":[{"id":"1"}]}',
    ]
    body = bytearray(data.draw(st.sampled_from(good)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(at, min(len(body), at + 20)))
        body[at:end] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b"<![CDATA[", b"]]>", b"<!--", b"&", b"<item>", b"</item>", b'"'])
        )

    try:
        feed = read(bytes(body))
    except FeedError as error:
        assert error.reason
        return
    for one in feed.entries:
        for text in (one.guid, one.title, one.summary, one.text, *one.authors):
            text.encode("utf-8")
            assert "\0" not in text
        assert one.guid and len(one.content_hash) == 32
        assert one.url is None or one.url.startswith(("http://", "https://"))
    assert len({one.guid for one in feed.entries}) == len(feed.entries)


def test_an_entry_without_a_title_gets_its_first_sentence_in_quotation_marks():
    long = "word " * 60
    body = rss(
        "<guid>1</guid><description>&lt;p&gt;Mr. Smith won in the U.S. today. He said so.&lt;/p&gt;</description>",
        f"<guid>2</guid><description>{long}</description>",
        "<guid>3</guid>",
        "<guid>4</guid><title>Its own</title><description>Something else.</description>",
    )

    one, two, three, four = parse_feed(body, url=URL).entries

    assert one.title == "“Mr. Smith won in the U.S. today.”"
    assert two.title.startswith("“word word") and two.title.endswith("word…”") and len(two.title) <= 122
    assert (three.title, four.title) == ("", "Its own")
