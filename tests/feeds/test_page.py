"""Pages as sources: their items by selectors, and the selectors that are proposed; hostile pages too."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import FeedError
from watcher.failure_messages import FeedKind
from watcher.feeds.page import MAX_ITEMS, describe_refused_list, propose_selectors
from watcher.feeds.parse import parse_feed
from watcher.model import PageSelectors, ParsedFeed

URL = "https://a.example/news/"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
TITLES = (
    "The ferry runs again after repairs to its engine",
    "Council votes for a second bridge over the river",
    "A lighthouse keeper retires after forty winters",
    "Bakers of the old town raise the price of bread",
    "Snow closes the pass until the end of the week",
)
MENU = (
    "<nav><ul>"
    + "".join(f"<li><a href='/topic/{n}'>Topic number {n} of all</a></li>" for n in range(20))
    + "</ul></nav>"
)
FOOT = "<footer><ul class=links><li><a href='/imprint'>Imprint and the data protection rules</a></li></ul></footer>"


def read(html: str | bytes, content_type: str | None = None, **selectors: str) -> ParsedFeed:
    body = html if isinstance(html, bytes) else html.encode()
    page = PageSelectors(**{"items": "article"} | selectors)
    return parse_feed(body, url=URL, content_type=content_type, now=NOW, page=page)


def propose(html: str) -> PageSelectors | None:
    return propose_selectors(html.encode(), URL, "text/html; charset=utf-8")


def page_of(items: str, lang: str = "en") -> str:
    head = f"<!doctype html><html lang={lang}><head><meta charset=utf-8><title>News of the town</title></head>"
    return f"{head}<body class='home has-sidebar'>{MENU}<main>{items}</main>{FOOT}</body></html>"


def test_items_give_link_title_and_date():
    feed = read(
        page_of(
            "<article><a href='/news/ferry'><img src=x.jpg></a><h2><a href='ferry-2?utm_source=x'>No</a></h2></article>"
            "<article class=card><a class=more href='//b.example/x'>Read more</a><h2>The <i>river</i> &amp; more</h2>"
            "<a class=t href='/n/brücke'>A bridge</a><time datetime='2026-11-27T10:00:00+01:00'>then</time></article>",
            lang="en-GB",
        ),
        link="a.t, h2 a",
        title="h2",
    )

    assert (feed.title, feed.language, feed.link) == ("News of the town", "en-GB", URL)
    assert [(entry.url, entry.title, entry.published_at) for entry in feed.entries] == [
        ("https://a.example/news/ferry-2?utm_source=x", "No", None),
        ("https://a.example/n/br%C3%BCcke", "The river & more", datetime(2026, 11, 27, 9, 0, tzinfo=UTC)),
    ]
    assert feed.entries[0].guid == "https://a.example/news/ferry-2"


@pytest.mark.parametrize(
    ("item", "title"),
    [
        ("<article><a href='/1'>One</a> <a href='/2'>Two</a></article>", "One"),
        ("<article><a href='/1'><img></a><h3><a href='/1'>The headline</a></h3></article>", "The headline"),
        ("<article><a href='/1'><h3>The headline</h3><p>A teaser of some length</p></a></article>", "The headline"),
        ("<article><a href='/1' aria-label='The label'></a></article>", "The label"),
        ("<a href='/1'><article><h3>In a link</h3></article></a>", "In a link"),
        ("<article><a href='#top'>Top</a><a href='/1'>One</a></article>", "One"),
        ("<article><a href='/1'><span>Kicker</span><span>and title</span></a></article>", "Kicker and title"),
        ("<article><a href='https://a.example/1'>Other<script>no</script> site</a></article>", "Other site"),
    ],
)
def test_the_default_link_is_the_first_and_the_default_title_its_text(item, title):
    (entry,) = read(item).entries

    assert (entry.url, entry.title) == ("https://a.example/1", title)


def test_links_that_lead_to_no_other_page_are_left_out_and_the_same_link_counts_once():
    links = (
        "#a",
        "javascript:void(0)",
        "mailto:a@b.example",
        "tel:1",
        "",
        URL,
        "/news/?utm_medium=x",
        "ftp://a/b",
        "/x",
        "/x#y",
    )

    feed = read("".join(f"<article><a href='{link}'>Words</a></article>" for link in links) + "<article>none</article>")

    assert [entry.url for entry in feed.entries] == ["https://a.example/x"]


def test_links_start_at_the_base_of_the_page():
    assert (
        read("<base href='/other/'><article><a href=x>Words</a></article>").entries[0].url
        == "https://a.example/other/x"
    )


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("<span>28. November 2026, 10:30 Uhr</span>", datetime(2026, 11, 28, 10, 30, tzinfo=UTC)),
        ("<span>27.11.26</span>", datetime(2026, 11, 27, tzinfo=UTC)),
        ("<span>2026年11月27日</span>", datetime(2026, 11, 27, tzinfo=UTC)),
        ("<span>27 نوفمبر 2026</span>", datetime(2026, 11, 27, tzinfo=UTC)),
        ("<span>an hour ago</span>", None),
        ("<span>1.1.2031</span>", None),
        ("", None),
    ],
)
def test_dates_are_those_of_the_page_and_others_are_left_to_the_time_first_seen(date, expected):
    (entry,) = read(f"<article><a href=/x>Words</a>{date}</article>", date="span").entries

    assert entry.published_at == expected


def test_a_day_in_the_link_counts_if_the_item_has_no_date_and_american_pages_begin_with_the_month():
    assert read("<article><a href=/2026/11/20/x>W</a></article>").entries[0].published_at == datetime(
        2026, 11, 20, tzinfo=UTC
    )
    american = "<html lang=en-US><article><a href=/x>Words</a><time>11/05/2026</time></article>"
    assert read(american).entries[0].published_at == datetime(2026, 11, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        ("<p>Nothing</p>", FeedKind.NO_ITEMS),
        ("", FeedKind.NO_ITEMS),
        ("<!-- ", FeedKind.NO_ITEMS),
        ("<article>Words</article>", FeedKind.NO_LINKS),
        ("<article><a href='#x'>Words</a></article>", FeedKind.NO_LINKS),
        ("<title>Just a moment...</title><script>window._cf_chl_opt={}</script>", FeedKind.BOT_WALL),
        (b"%PDF-1.7 \x00\x01\x02", FeedKind.PDF),
    ],
)
def test_a_page_without_items_says_so(html, kind):
    with pytest.raises(FeedError) as caught:
        read(html)

    assert caught.value.kind is kind
    if kind is FeedKind.NO_ITEMS:
        words = 'items = "article" finds nothing on this page; it may have been redesigned'
        assert str(caught.value.reason) == words


def test_an_old_encoding_is_read():
    body = "<article><a href=/x>Überfälle in Köln und Düsseldorf häufen sich</a></article>".encode("latin-1")

    assert (
        read(body, "text/html; charset=iso-8859-1").entries[0].title == "Überfälle in Köln und Düsseldorf häufen sich"
    )


def test_at_most_200_items_are_read():
    feed = read("".join(f"<article><a href=/{n}>Words</a></article>" for n in range(300)))

    assert len(feed.entries) == MAX_ITEMS
    assert "300 items, of which 200 were read" in feed.faults


@pytest.mark.slow  # large pages
@pytest.mark.parametrize(
    "html",
    [
        "<article><a href=/x>Words</a>" * 100_000,
        "<div>" * 200_000 + "<article><a href=/x>Words</a>",
        "<article><a href=/x>" + "<b>" * 200_000,
        "<article " + "a=1 " * 100 + "><a href=/x>" + "W" * 5_000_000,
        "<article><a href='" + "/x" * 1_000_000 + "'>Words</a></article><article><a href=/y>Words</a></article>",
        "".join(f"<article><a href=/{n}>Words</a></article>" for n in range(30_000)),
        "<div class='a b c d e f'>" * 200
        + "".join(f"<p class=p{n}><a href=/{n}-a-b>{TITLES[0]}</a>" for n in range(2_000)),
    ],
    ids=["unclosed", "deep", "deep inside", "long", "long link", "many", "names"],
)
def test_hostile_pages_take_little_time(html):
    started = time.process_time()
    try:
        assert len(read(html).entries) <= MAX_ITEMS
    except FeedError as error:
        assert error.kind in (FeedKind.NO_ITEMS, FeedKind.NO_LINKS)
    propose(html)
    assert time.process_time() - started < 8


PIECES = st.sampled_from(
    "<article>|</article>|<a href=/x>|<a href='//[x'>|</a>|<time datetime='2026-13-99'>|<h2>|<base href='http://['>|\x00|"
    "\ufffe|\ud800|<!--|]]>|<?xml|<svg>|<li class='a b-2 é :x'>|A title of some length, with words|<html lang=x>".split(
        "|"
    )
)


@given(st.lists(PIECES | st.text(max_size=20), max_size=40))
@pytest.mark.slow
def test_no_page_crashes(pieces):
    body = "".join(pieces).encode("utf-8", "surrogatepass")
    try:
        parse_feed(body, url=URL, now=NOW, page=PageSelectors(items="article", link="h2 a", title="h2", date="time"))
    except FeedError as error:
        assert isinstance(error.kind, FeedKind)
    propose_selectors(body, URL, None)
    describe_refused_list(body, URL, None)


def cards(titles, item, dates=("",) * 5) -> str:
    rows = zip(titles, dates, strict=True)
    return "".join(item.format(n=n, title=title, date=date) for n, (title, date) in enumerate(rows))


GERMAN = (
    "Fähre fährt nach der Reparatur wieder",
    "Rat beschließt zweite Brücke über den Fluss",
    "Leuchtturmwärter geht in den Ruhestand",
    "Bäcker der Altstadt erhöhen ihre Preise",
    "Schnee sperrt den Pass bis zum Wochenende",
)
ARABIC = (
    "العبارة تعود إلى العمل بعد إصلاح محركها",
    "المجلس يصوت لصالح جسر ثان فوق النهر",
    "حارس المنارة يتقاعد بعد أربعين شتاء",
    "خبازو المدينة القديمة يرفعون سعر الخبز",
    "الثلوج تغلق الممر حتى نهاية الأسبوع",
)
JAPANESE = (
    "修理を終えたフェリーが運航再開",
    "市議会が二本目の橋の建設を可決",
    "灯台守が四十年の勤務を終え引退",
    "旧市街のパン屋が値上げを発表",
    "雪のため峠は週末まで通行止め",
)
GERMAN_DATES = tuple(f"{n}. November 2026" for n in range(20, 25))
CARD = (
    "<article class='card card-{n}'><a href=/tag/stadt>Nachrichten der Stadt</a>"
    "<h2><a href=/artikel/{n}-a-b>{title}</a></h2><span class=date>{date}</span>"
    "<p>A teaser text that says a little more about it.</p></article>"
)
LIST = "<li><time datetime='2026-11-2{n}T10:00Z'></time><a href=/ar/2026/{n}>{title}</a></li>"
LINK = "<a class='c-item' href=/articles/{n}><div class=c-title>{title}</div></a>"
ROW = "<tr><td class=day>2{n}.11.2026</td><td><a href=/press/{n}>{title}</a></td></tr>"
PLAIN = "<section><h3><a href=/{n}-a-b>{title}</a></h3></section>"
TEASER = (
    "<div class='css-1a2b teaser'><a href=/story/{n}-a-b><img></a><div><a href=/story/{n}-a-b>{title}</a></div></div>"
)
MOST_READ = "<div class=teaser-small><a href=/story/{n}-most-read>{title}</a></div>"


@pytest.mark.parametrize(
    ("html", "expected", "titles"),
    [
        (
            page_of(f"<div class=list>{cards(GERMAN, CARD, GERMAN_DATES)}</div>", "de"),
            PageSelectors(items="article", link="article.card > h2", date="span.date"),
            GERMAN,
        ),
        (page_of(f"<ul class=news>{cards(ARABIC, LIST)}</ul>", "ar"), PageSelectors(items="ul.news > li"), ARABIC),
        (page_of(cards(JAPANESE, LINK), "ja"), PageSelectors(items="a.c-item"), JAPANESE),
        (
            page_of(f"<table id=press>{cards(TITLES, ROW)}</table>"),
            PageSelectors(items="#press > tr", date="td.day"),
            TITLES,
        ),
        (page_of(cards(TITLES, PLAIN)), PageSelectors(items="section"), TITLES),
        (
            page_of(f"<ul class=news>{cards(ARABIC[:3], LIST, [''] * 3)}</ul>", "ar"),
            PageSelectors(items="ul.news > li"),
            ARABIC[:3],
        ),
        (
            page_of(f"<div class=big>{cards(TITLES, TEASER)}</div><aside>{cards(GERMAN, MOST_READ)}</aside>"),
            PageSelectors(items="div.teaser"),
            TITLES,
        ),
    ],
    ids=["German cards", "Arabic list", "Japanese links", "table", "no classes", "three items", "teasers"],
)
def test_the_proposed_selectors_find_the_list_of_articles(html, expected, titles):
    found = propose(html)

    assert found == expected
    feed = parse_feed(html.encode(), url=URL, now=NOW, page=found)
    assert tuple(entry.title for entry in feed.entries) == titles
    assert not found.date or all(entry.published_at for entry in feed.entries)


@pytest.mark.parametrize(
    "item",
    [
        "<article class=tile><h2><a href=/{word}>{title}</a></h2></article>",
        "<div class=tile><a href=/{word}>{title}</a></div>",
        "<div class=tile><h3>{title}</h3><p>A teaser.</p><a href=/{word}>Read more</a></div>",
    ],
    ids=["heading", "link", "read more"],
)
@pytest.mark.parametrize("page", ["{}", page_of("{}")], ids=["bare", "with a menu"])
def test_three_titles_are_a_list_whatever_their_addresses_are(page, item):
    words = ("ferry", "bridge", "lighthouse")
    items = "".join(item.format(word=word, title=title) for word, title in zip(words, TITLES, strict=False))
    html = page.replace("{}", items)

    found = propose(html)

    assert found is not None and found.items in ("article", "article.tile", "div.tile")
    entries = parse_feed(html.encode(), url=URL, now=NOW, page=found).entries
    assert tuple(entry.title for entry in entries) == TITLES[:3]


@pytest.mark.parametrize(
    ("html", "items", "count", "reason"),
    [
        (cards(TITLES[:2], "<p class=tile><a href=/{n}-a-b>{title}</a></p>", ("",) * 2), "p.tile", 2, "3 are needed"),
        (cards(TITLES, "<p class=tile><a href=/{n}>More</a></p>"), "p.tile", 0, "no link has a title of 20 letters"),
        ("<nav>" + cards(TITLES, "<p class=tile><a href=/{n}>{title}</a></p>"), "p.tile", 5, "those of a menu"),
        ("<div id=app></div>", "", 0, "it has no link to another page"),
    ],
    ids=["two", "short titles", "menu", "no links"],
)
def test_a_refused_list_is_named_with_the_reason(html, items, count, reason):
    assert propose(html) is None
    refused = describe_refused_list(html.encode(), URL, "text/html; charset=utf-8")

    assert (refused.items.removesuffix(" > a"), refused.count) == (items, count) and reason in refused.reason


@pytest.mark.parametrize(
    "html",
    [page_of("<p>One</p>"), "", page_of("<h1>An article</h1>" + "<p>Words, and <a href=/x-y-z>a link</a>.</p>" * 9)],
    ids=["menu", "empty", "article"],
)
def test_a_page_without_a_list_gets_no_proposal(html):
    assert propose(html) is None
