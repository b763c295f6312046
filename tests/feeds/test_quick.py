"""Feeds read directly: what feedparser says of them, or nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from html import escape

import feedparser
import pytest
from feedparser.datetimes import _parse_date
from feedparser.html import _cp1252
from feedparser.mixin import _FeedParserMixin
from feedparser.sanitizer import _HTMLSanitizer
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.feeds.quick.dates import moment
from watcher.feeds.quick.feed import read_quickly
from watcher.feeds.quick.names import HANDLED, TAKEN
from watcher.feeds.quick.text import CP1252, ELEMENTS
from watcher.feeds.quick.tree import SPACES, Unsure
from watcher.feeds.raw import RawFeed
from watcher.feeds.xmlfeed import read_xml

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

DECLARED = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "odd": "http://odd.example/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
}
SPELLED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in DECLARED.items())

RSS = f"""<rss version="2.0" {SPELLED}><channel><title>The <![CDATA[Feed & more]]></title><link>https://a.example/</link>
<atom:link rel="self" href="/feed"/><atom:link rel="hub" href="https://hub.example/"/><language>en_gb</language>
<description>About</description><ttl>60</ttl><sy:updatePeriod>daily</sy:updatePeriod>
<skipHours><hour>3</hour><hour>24</hour></skipHours><skipDays><day>Sunday</day></skipDays>
<image><url>/i.png</url><title>Another title</title><link>https://a.example/i</link></image>
<item><title>One &amp;amp; two</title><link>https://a.example/1?a=1&amp;b=2</link><guid isPermaLink="false">g1</guid>
<description>&lt;p&gt;Short &amp;amp; sweet&lt;/p&gt;</description>
<content:encoded><![CDATA[<p>Long</p>]]></content:encoded>
<dc:creator>Ann Bee</dc:creator><author>bob@b.example (Bob)</author><category domain="d">World</category>
<category>World</category><pubDate>Tue, 24 Nov 2026 09:05:00 +0530</pubDate><enclosure url="/e.jpg" type="image/jpeg"/>
<media:group><media:content url="/m.jpg" medium="image"><media:title>Picture</media:title></media:content></media:group>
<media:thumbnail url="/t.jpg"/><feedburner:origLink>https://a.example/one</feedburner:origLink>
<odd:thing a="b">x</odd:thing></item><item><!-- no title --><guid>https://a.example/2</guid><description>a</description><itunes:summary>b</itunes:summary>
</item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><id>urn:f</id>
<title type="html">The &lt;b&gt;Feed&lt;/b&gt;</title>
<link rel="alternate" href="https://a.example/"/><updated>2026-11-24T09:05:00Z</updated>
<entry><id>urn:1</id><title>1 &lt; 2</title><link href="/1"/><link rel="enclosure" type="image/png" href="/e.png"/>
<author><name>Ann</name><email>ann@a.example</email></author>
<author><name>Bob</name></author><category term="w" label="World"/><published>2026-11-24T09:05:00.123+01:00</published>
<updated>2026-11-24</updated><summary type="html">&lt;i&gt;s&lt;/i&gt;</summary>
<content type="xhtml" xml:base="https://b.example/">
<div xmlns="http://www.w3.org/1999/xhtml"><p class="a&quot;b">Long<br/>&amp; more</p></div></content>
<source><id>urn:s</id><title>Source</title><updated>2026-11-24T09:05:00Z</updated></source></entry></feed>"""
RDF = f"""<rdf:RDF xmlns="http://purl.org/rss/1.0/" {SPELLED.replace("http://www.w3.org/2005/Atom", "urn:other")}>
<channel rdf:about="https://a.example/"><title>T</title><link>https://a.example/</link>
<dc:date>2026-11-24T09:05+01:00</dc:date><items><rdf:Seq><rdf:li rdf:resource="https://a.example/1"/></rdf:Seq></items></channel>
<image rdf:about="i"><title>I</title></image>
<item rdf:about="https://a.example/1"><title>One</title><link>https://a.example/1</link><dc:subject>World</dc:subject>
<dc:date>2026-11-24T09:05:00-0500</dc:date></item></rdf:RDF>"""


def test_the_names_are_those_of_the_feedparser_that_is_installed():
    methods = {name.split("_", 2)[2].lower() for name in dir(_FeedParserMixin) if name.startswith(("_start_", "_end_"))}

    assert methods == HANDLED
    assert {uri.lower(): name for uri, name in _FeedParserMixin.namespaces.items() if uri} == SPACES
    assert set(_HTMLSanitizer.acceptable_elements) == ELEMENTS
    assert _cp1252 == CP1252


@pytest.mark.parametrize("text", [RSS, ATOM, RDF], ids=["rss", "atom", "rdf"])
def test_an_ordinary_feed_is_read_as_feedparser_reads_it(text):
    quick = read_quickly(text, 500)

    assert quick == read_xml(text, 500)
    assert quick is not None and quick.title.value and quick.entries[0].title.value and quick.entries[0].links


def test_of_many_entries_the_first_are_given():
    items = "".join(f"<item><guid>{number}</guid></item>" for number in range(9))
    text = f"<rss><channel>{items}</channel></rss>"

    assert read_quickly(text, 5) == read_xml(text, 5)
    assert len(read_xml(text, 5).entries) == 5


@pytest.mark.parametrize(
    "text",
    [
        RSS.replace("</ttl>", ""),
        RSS.replace("World", "&nosuch;"),
        RSS.replace("<channel>", "<channel><channel/>"),
        RSS.replace("Tue, 24 Nov", "Tuesday the 24th of Nov"),
        RSS.replace("<title>", "<title><b>bold</b>", 1),
        RSS.replace("<dc:creator>", "<body>x</body><dc:creator>"),
        RSS.replace("<item>", "<item href='x'>", 1),
        RSS.replace("<odd:thing", "<odd:thing><title>x</title></odd:thing><odd:thing"),
        RSS.replace('xmlns:odd="http://odd.example/"', 'xmlns:odd="http://odd.example/" xmlns:b="http://odd.example/"'),
        RSS.replace('xmlns:odd="http://odd.example/"', 'xmlns:thr="http://purl.org/rss/1.0/" xmlns:odd="urn:o"'),
        ATOM.replace('type="xhtml"', 'type="application/octet-stream"'),
        ATOM.replace('type="html"', 'mode="base64"'),
        ATOM.replace("<p class", "<svg/><p class"),
        ATOM.replace('base="https://b.example/"', 'base="urn:b"'),
        ATOM.replace('base="https://b.example/"', 'base="https://b.example/" base="https://c.example/"'),
        RDF.replace("urn:other", "http://www.w3.org/2005/Atom"),
        "<other/>",
        "<rss><channel>" + "<a>" * 100 + "</a>" * 100 + "</channel></rss>",
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_feedparser(text):
    assert read_quickly(text, 500) is None


def test_feedparser_is_not_even_loaded_for_an_ordinary_feed():
    lines = (
        "import sys",
        "from watcher.feeds.parse import parse_feed",
        f"assert len(parse_feed({RSS.encode()!r}, url='https://a.example/').entries) == 2",
        "sys.exit('feedparser' in sys.modules)",
    )

    assert subprocess.run([sys.executable, "-c", "\n".join(lines)], check=False).returncode == 0


def test_two_authors_share_what_feedparser_lets_them_share():
    person = "<author><name>{}</name></author>"
    shared = "<author>Ann &lt;ann@a.example></author>" + person.format("Bob") + "<author><uri>u</uri></author>"
    text = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry>{shared}</entry></feed>'

    assert read_quickly(text, 5) == read_xml(text, 5)
    assert read_xml(text, 5).entries[0].authors == ("Bob",)


DATES = st.sampled_from(["Tue, 24 Nov 2026 09:05:00 GMT", "2026-11-24T09:05:00Z", "2026-11-24", "", "yesterday"])


@given(
    st.text("ab1.-+@_ []?<>()é", max_size=30)
    | st.from_regex(r"[a-c ]{0,3}@?[a-c.]{1,5}@(\[1\.2\.3\.4\]|a\.b\.com)(\?subject=x)?", fullmatch=True)
)
def test_an_authors_address_is_found_where_feedparser_finds_it(text):
    inside = f"<rss><channel><item><author>{escape(text)}</author></item></channel></rss>"

    assert read_quickly(inside, 5) == read_xml(inside, 5)


@pytest.mark.parametrize("piece", ["a", "@", "a@", "a@b.", "a@b.cc "])
def test_a_long_author_costs_little(piece):
    started = time.process_time()

    read_quickly(f"<rss><channel><item><author>{piece * (300_000 // len(piece))} @</author></item></channel></rss>", 5)

    assert time.process_time() - started < 1


WORDS = st.sampled_from(
    [
        "", " ", "A title", "1 < 2 & 3", "<b>bold</b>", "caf\u00e9", "caf\u00c3\u00a9", "\u0092x\u0093",
        "&eacute; &amp; &no;",
        "http://a.example/x?a=1&b=2", "/x", "http:///b.example", "ann@a.example (Ann)", "a, b", "en_GB", "60", "daily",
        "2026-11-24", "\u6771\u4eac", "</p> x",
    ]
) | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=12)  # fmt: skip
NAMES = st.sampled_from(
    "title link guid id description summary content author category pubDate published updated language comments "
    "source enclosure atom:link atom:title content:encoded dc:creator dc:date dc:title dc:subject dc:description "
    "itunes:summary itunes:author itunes:image itunes:keywords media:content media:thumbnail media:title odd:thing "
    "media:description media:group media:keywords media:category feedburner:origLink sy:updatePeriod ttl".split()
)
INNER = NAMES | st.sampled_from("name email url image media:title media:thumbnail itunes:category item body p".split())
ATTRIBUTES = st.dictionaries(
    st.sampled_from("type href url rel term label domain isPermaLink medium text xml:lang xml:base odd:x".split()),
    st.sampled_from(["html", "xhtml", "text", "self", "alternate", "hub", "image", "image/png", "false", "/a"]),
    max_size=2,
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    name = draw(INNER if depth else NAMES)
    attributes = draw(ATTRIBUTES) if draw(st.integers(0, 2)) == 0 else {}
    opening = name + "".join(f' {key}="{value}"' for key, value in attributes.items())
    if depth < 2 and draw(st.integers(0, 9)) == 0:
        return f"<{opening}>{''.join(draw(st.lists(elements(depth=depth + 1), max_size=3)))}</{name}>"
    text = draw(DATES if name.endswith(("Date", "date", "lished", "updated")) else WORDS)
    if "]]>" not in text and draw(st.booleans()):
        return f"<{opening}><![CDATA[{text}]]></{name}>"
    return f"<{opening}>{escape(text)}<!-- x --></{name}>"


@st.composite
def feeds(draw: st.DrawFn) -> str:
    parts = draw(st.lists(elements(), max_size=4))
    items = draw(st.lists(st.lists(elements(), max_size=6), max_size=3))
    kind = draw(st.sampled_from(["rss", "atom", "rdf"]))
    if kind == "atom":
        inside = "".join(parts) + "".join(f"<entry>{''.join(item)}</entry>" for item in items)
        return f'<feed xmlns="http://www.w3.org/2005/Atom" {SPELLED}>{inside}</feed>'
    made = "".join(f"<item>{''.join(item)}</item>" for item in items)
    if kind == "rss":
        return f'<rss version="2.0" {SPELLED}><channel>{"".join(parts)}{made}</channel></rss>'
    return f'<rdf:RDF xmlns="http://purl.org/rss/1.0/" {SPELLED}><channel>{"".join(parts)}</channel>{made}</rdf:RDF>'


@settings(max_examples=400, deadline=None)
@given(feeds())
def test_any_feed_is_read_as_feedparser_reads_it_or_not_at_all(text):
    quick = read_quickly(text, 500)

    if quick is not None:
        assert quick == read_xml(text, 500)


def test_most_of_what_is_made_up_is_read_directly():
    """Else the property above would hold of nothing."""
    read: list[RawFeed | None] = []

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(feeds())
    def count(text: str) -> None:
        read.append(read_quickly(text, 500))

    count()

    assert sum(one is not None and bool(one.entries) for one in read) >= 15


@st.composite
def spellings(draw: st.DrawFn) -> str:
    number = st.integers(0, 62).map("{:02d}".format)
    year = draw(st.sampled_from(["2026", "1999", "0001", "9999", "26"]))
    clock = ":".join(draw(st.lists(number, min_size=2, max_size=3)))
    zone = draw(
        st.sampled_from(["Z", "GMT", "UTC", "EST", "pdt", "XYZ", "+00:00", "+0530", "-03:30", "+05:45", "", "+1"])
    )
    day, month = draw(number), draw(number)
    if draw(st.booleans()):
        return f"{year}-{month}-{day}{draw(st.sampled_from('Tt '))}{clock}{draw(st.sampled_from(['', '.123']))}{zone}"
    name = draw(st.sampled_from("Jan feb March Sept Oct Thu".split()))
    return f"{draw(st.sampled_from(['', 'Mon, ', 'thursday ', 'x ']))}{day} {name} {year} {clock} {zone}"


@settings(max_examples=500, deadline=None)
@given(spellings())
def test_a_date_is_read_as_feedparser_reads_it_or_not_at_all(text):
    try:
        found = moment(text)
    except Unsure:
        return

    parts = _parse_date(text)
    assert parts is not None
    assert found == "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}Z".format(*parts)


def test_no_name_is_both_known_and_taken_unseen():
    assert "ttl" in TAKEN and not TAKEN & {"thr_total", "comments"}
    assert feedparser.__version__.startswith("6.")
