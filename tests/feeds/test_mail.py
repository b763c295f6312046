"""Mails of all kinds become entries: their text alone, without what newsletters write around it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.feeds.mail import parse_mails
from watcher.model import MAX_MAIL_BYTES, Entry, FolderMails, ParsedFeed

URL = "imaps://reader@mail.example.org/INBOX.News"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
FERRY = "The ferry between the two towns runs again, the harbour office said on Monday."
ENGINE = "Its engine was taken apart over the winter, and two of its four pistons are new."


def mail(plain: str = "", html: str = "", **headers: str) -> bytes:
    made = EmailMessage()
    given = {"From": '"The Ferry Post" <news@mail.example.org>', "Subject": "Ferry runs again"}
    given |= {"Date": "Sat, 28 Nov 2026 09:00:00 +0100", "Message-ID": "<one@example.org>"}
    for name, value in (given | {key.replace("_", "-"): value for key, value in headers.items()}).items():
        made[name] = value
    if plain:
        made.set_content(plain)
    if html and plain:
        made.add_alternative(html, subtype="html")
    elif html:
        made.set_content(html, subtype="html")
    return bytes(made)


def parse(*mails: bytes, url: str = URL) -> ParsedFeed:
    return parse_mails(FolderMails(url=url, mails=mails), now=NOW)


def only_entry(raw: bytes) -> Entry:
    (entry,) = parse(raw).entries
    return entry


def test_a_mail_is_an_entry_with_its_subject_sender_date_and_id():
    feed = parse(mail(f"{FERRY}\n\n{ENGINE}\n"))

    (entry,) = feed.entries
    assert (feed.title, feed.faults) == ("The Ferry Post", ())
    assert (entry.title, entry.authors) == ("Ferry runs again", ("The Ferry Post",))
    assert (entry.guid, entry.url, entry.image) == ("mid:one@example.org", None, None)
    assert entry.published_at == datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
    assert entry.text == f"{FERRY}\n{ENGINE}"


def test_html_becomes_text_without_what_is_hidden_linked_or_loaded():
    html = (
        "<html><head><title>No</title><style>p{}</style></head><body>"
        '<div style="display: none;">Preview of it&zwnj;&nbsp;&zwnj;&nbsp;&#847;</div>'
        '<p><a href="https://click.example/a">View this email in your browser</a></p>'
        f'<table><tr><td>{FERRY.replace(" ", chr(10), 3)}</td></tr><tr><td><a href="https://click.example/b">{ENGINE}</a>'
        "</td></tr></table><![if !mso]><p>Subscribe now</p><![endif]><p>1 Market Street, San Francisco, CA 94104</p>"
        '<img src="https://pixel.example/open.gif" alt="pixel"><script>alert(1)</script>'
        "<p>You are receiving this email because you signed up.</p><p>Unsubscribe</p><p>© 2026 Post</p></body></html>"
    )

    entry = only_entry(mail(html=html))

    assert entry.text == f"{FERRY}\n{ENGINE}"
    assert entry.image is None


def test_a_wrapped_plain_text_becomes_paragraphs_without_the_urls_of_its_reader():
    plain = (
        "View in browser: https://news.example/v?token=secret1\n\n"
        "The ferry between the two towns runs again, the harbour office \n"
        "said on Monday. [https://click.example/secret2]\n\n"
        "* Its engine was taken apart over the winter.\n* Two of its four pistons are new.\n\n"
        "https://click.example/secret3\n\n"
        f"Tickets cost as much as last year: https://click.example/{'x' * 80}secret4\n\n"
        "Unsubscribe ( https://news.example/u?secret5 )\n"
    )

    entry = only_entry(mail(plain))

    assert entry.text.split("\n") == [
        FERRY,
        "* Its engine was taken apart over the winter.",
        "* Two of its four pistons are new.",
        "Tickets cost as much as last year:",
    ]


def test_of_two_forms_the_html_is_read_unless_it_says_less():
    both = only_entry(mail("Read this in a browser.", f"<p>{FERRY}</p>"))
    image = only_entry(
        mail(f"{FERRY}\n\n{ENGINE}", '<a href="https://x.example"><img src="https://x.example/1.png"></a>')
    )

    assert both.text == FERRY
    assert image.text == f"{FERRY}\n{ENGINE}"


CYRILLIC = "Паром между двумя городами снова ходит, сообщило управление порта в понедельник."
JAPANESE = "二つの町を結ぶフェリーが月曜日に運航を再開したと港湾事務所が発表した。"
QUOTED = (
    b"From: =?koi8-r?B?8M/e1ME=?= <news@example.org>\r\nSubject: =?utf-8?B?0J/QsNGA0L7QvCDRgdC90L7QstC?=\r\n"
    b" =?utf-8?B?wINGF0L7QtNC40YI=?=\r\nMessage-ID: <2@example.org>\r\nContent-Type: text/plain; charset=koi8-r\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
) + b"".join(b"=%02X" % byte if byte > 126 else bytes([byte]) for byte in CYRILLIC.encode("koi8-r"))


def test_cyrillic_in_quoted_printable_is_read():
    entry = only_entry(QUOTED)

    assert (entry.text, entry.authors) == (CYRILLIC, ("Почта",))
    assert entry.published_at is None


@pytest.mark.parametrize("charset", ["iso-2022-jp", "shift_jis", "utf-8"])
def test_japanese_in_base64_is_read(charset):
    made = EmailMessage()
    made["Subject"], made["Message-ID"], made["From"] = "フェリー再開", "<3@example.org>", "新聞 <a@example.jp>"
    made.set_content(f"<p>{JAPANESE}</p>", subtype="html", charset=charset, cte="base64")

    entry = only_entry(bytes(made))

    assert (entry.title, entry.text, entry.authors) == ("フェリー再開", JAPANESE, ("新聞",))


def test_headers_in_plain_utf_8_are_read():
    raw = f"From: Почта <a@example.org>\r\nSubject: Паром ходит\r\nMessage-ID: <4@x>\r\n\r\n{FERRY}".encode()

    entry = only_entry(raw)

    assert (entry.title, entry.authors) == ("Паром ходит", ("Почта",))


def test_attachments_are_not_the_text():
    made = EmailMessage()
    made["Message-ID"], made["Subject"] = "<5@x>", "Ferry"
    made.set_content(FERRY)
    made.add_attachment("<p>Not this.</p>", subtype="html", filename="a.html")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="a.png")

    assert only_entry(bytes(made)).text == FERRY


@pytest.mark.parametrize(
    ("senders", "archive", "is_link"),
    [
        ("?from=@example.org", "https://lists.example.org/m/1", True),
        ("?from=@other.example&from=news@mail.example.org", "https://MAIL.example.org", True),
        ("?from=@example.org", "http://example.org/m/1", False),
        ("?from=@example.org", "https://evil.example/m/1", False),
        ("?from=@example.org", "https://evilexample.org/m/1", False),
        ("?from=@example.org", "https://example.org.evil.example/m/1", False),
        ("?from=@example.org", "https://example.org@evil.example/m/1", False),
        ("?from=@example.org", "https://evil.example\\@example.org/m/1", False),
        ("?from=@example.org", "https://evil.example#@example.org/", False),
        ("?from=@example.org", "https://example.org:444/m/1", False),
        ("?from=news@mail.example.org", "https://example.org/m/1", False),
        ("?from=@mail.example.org", "javascript:alert(1)", False),
        ("", "https://mail.example.org/m/1", False),
    ],
)
def test_only_a_public_archive_on_a_site_of_the_outlet_is_the_link_of_a_mail(senders, archive, is_link):
    (entry,) = parse(mail(FERRY, Archived_At=f"<{archive}>"), url=URL + senders).entries

    assert (entry.url, entry.guid) == (archive if is_link else None, "mid:one@example.org")


def test_an_outlet_on_a_shared_platform_does_not_link_to_another_one_there():
    raw = mail(FERRY, From="ferry@substack.com", Archived_At="<https://other.substack.com/p/1>")

    assert [entry.url for entry in parse(raw, url=f"{URL}?from=ferry@substack.com").entries] == [None]


def test_a_message_id_that_is_a_url_is_no_link():
    entry = only_entry(b"Message-ID: <https://evil.example/x>\n\n" + FERRY.encode())

    assert (entry.url, entry.guid) == (None, "mid:https%3A%2F%2Fevil.example%2Fx")


HIDING = [
    "<div hidden>{}</div>",
    "<td HIDDEN=''>{}</td>",
    '<div title=">" hidden="until-found">{}</div>',
    '<div style="display:none">{}</div>',
    "<div style='DISPLAY : None !important'>{}</div>",
    "<div style=display:none;>{}</div>",
    '<div style="display:/* a */none">{}</div>',
    '<div style="display&#58;none">{}</div>',
    '<div style="color:red;display:none" style="display:block">{}</div>',
    '<span style="visibility:hidden">{}</span>',
    '<div style="visibility:hidden"><p style="visibility:inherit">{}</p></div>',
    '<p style="font-size:0">{}</p>',
    '<p style="font-size:0.0em">{}</p>',
    '<p style="font-size:1px;line-height:1px">{}</p>',
    '<p style="font:700 0px/1 Arial">{}</p>',
    '<a style="font:0/0 a">{}</a>',
    '<div style="font-size:0"><span style="font-size:120%">{}</span></div>',
    '<div style="opacity:0">{}</div>',
    '<div style="max-height:0px;overflow:hidden">{}</div>',
    '<div style="display:none"><b>Bold</b><div>inner</div>{}<p style="display:block;visibility:visible">{}</p></div>',
    "<div hidden><p>One<p>{}</div>",
    "<ul><li hidden>{}<li>Shown</ul>",
    "<p hidden>{}<p>Shown</p>",
    "<table><tr hidden><td><table><tr><td>{}</td></tr></table>{}</td></tr></table>",
]


@pytest.mark.parametrize("hiding", HIDING)
def test_text_that_a_reader_of_the_mail_is_not_shown_is_no_text(hiding):
    text = only_entry(mail(html=f"<p>{FERRY}</p>{hiding.replace('{}', 'A secret sentence.')}<p>{ENGINE}</p>")).text

    assert "secret" not in text and "inner" not in text
    assert [line for line in text.split("\n") if line != "Shown"] == [FERRY, ENGINE]
    assert ("Shown" in text) == ("Shown" in hiding)


SHOWING = [
    '<td style="font-size:0px;padding:9px"><div style="font-size:13px">{}</div></td>',
    '<td style="font-size:0"><p style="font:400 14px/1.5 Arial">{}</p></td>',
    '<td style="font-size:0"><p style="font-size:medium">{}</p></td>',
    '<div style="visibility:hidden"><p style="visibility:visible">{}</p></div>',
    '<p class="hidden" title="hidden" alt="style=display:none">{}</p>',
    '<p style="font-size:16px;opacity:0.9;overflow:hidden;max-height:900px">{}</p>',
    '<p style="font-size:.9em;text-size-adjust:none">{}</p>',
    "<div hidden>no</div><span hidden>no<br>no<img src=x></span>{}",
    "<p hidden>no</b></p></div>{}",
    '<a href="https://x.example" style="text-decoration:none;display:block">{}</a>',
]


@pytest.mark.parametrize("showing", SHOWING)
def test_text_that_a_reader_is_shown_stays(showing):
    assert only_entry(mail(html=f"<table><tr>{showing.format(FERRY)}</tr></table>")).text == FERRY


def test_a_mail_without_an_id_has_the_same_hash_each_time():
    raw = mail(FERRY, Message_ID="none")
    first, other = only_entry(raw), only_entry(mail(FERRY, Message_ID="none", Subject="Another"))

    assert first.guid == only_entry(raw).guid != other.guid
    assert len(parse(raw, raw).entries) == 1


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("?from=news@mail.example.org", 2),
        ("?from=@example.org", 2),
        ("?from=@ample.org", 0),
        ("?from=NEWS@mail.example.org&from=other@b.example", 3),
        ("?from=new@mail.example.org", 0),
    ],
)
def test_only_mails_of_the_wanted_senders_are_entries(query, number):
    mails = [
        mail(FERRY),
        mail(ENGINE, Message_ID="<2@x>"),
        mail(FERRY, Message_ID="<3@x>", From='"news@mail.example.org" <other@b.example>'),
    ]

    assert len(parse(*mails, url=URL + query).entries) == number


GOOD, EVIL = "news@good.example", "a@evil.example"
CLEAR = [  # From headers that name one sender, with its address and name
    (f"From: {GOOD}", GOOD, GOOD),
    (f"From: <{GOOD}>", GOOD, GOOD),
    ("FROM:\tNews.Good@GOOD.Example", "news.good@good.example", "news.good@good.example"),
    (f"From: {GOOD} (The Good News)", GOOD, GOOD),
    (f"From: The Good News (daily) <{GOOD}>", GOOD, "The Good News (daily)"),
    (f'From: "Good, \\"News\\"; Inc. (x" < {GOOD} >', GOOD, 'Good, "News"; Inc. (x'),
    (f"From: =?utf-8?q?Good,_News=3A?=\r\n =?utf-8?b?IMOkdA==?= <{GOOD}>", GOOD, "Good, News: ät"),
    (f"From: Gute Nachrichten für alle\r\n <{GOOD}>", GOOD, "Gute Nachrichten für alle"),
    (f"From: =?utf-8?q?news=40good=2Eexample?= <{EVIL}>", EVIL, GOOD),
    (f"From: =?utf-8?q?=3Cnews=40good=2Eexample=3E?= <{EVIL}>", EVIL, f"<{GOOD}>"),
    (f"From: =?utf-8?b?PG5ld3NAZ29vZC5leGFtcGxlPg==?= <{EVIL}>", EVIL, f"<{GOOD}>"),
    (f'From: "{GOOD}" <{EVIL}>', EVIL, GOOD),
    (f'From: "<{GOOD}>" <{EVIL}>', EVIL, f"<{GOOD}>"),
    (f'From: "a \\" <{GOOD}>" <{EVIL}>', EVIL, None),
    (f"From: ({GOOD}) <{EVIL}>", EVIL, None),
    (f"From: <{EVIL}> (<{GOOD}>)", EVIL, None),
    ("From: <a@good.example.evil.example>", "a@good.example.evil.example", None),
    (f"From: {EVIL}\nReply-To: {GOOD}\nSender: {GOOD}\nX-From: {GOOD}", EVIL, EVIL),
]
UNCLEAR = [  # From headers that a mail server may read otherwise than we do
    "Subject: Nobody",
    "From:",
    "From: Good News",
    f"From: {EVIL}\nFrom: {GOOD}",
    f"From: {GOOD}\nfrom : {EVIL}",
    f"From: {EVIL}\rFrom: {GOOD}",
    f"From: {EVIL}, {GOOD}",
    f"From: {GOOD}, {EVIL}",
    f"From: {EVIL} <{GOOD}>",
    f"From: {GOOD} <{EVIL}>",
    f"From: <{EVIL}> <{GOOD}>",
    f"From: <{GOOD}>\r\n <{EVIL}>",
    f"From: Group: {GOOD}, {EVIL};",
    f"From: Group: {GOOD};",
    f"From: Group:;, {GOOD}",
    f"From: <@evil.example:{GOOD}>",
    f"From: <@evil.example,@b.example:{GOOD}>",
    f"From: ((<{EVIL}>) <{GOOD}>",
    f"From: (a (b) <{EVIL}>) <{GOOD}>",
    f'From: "<{EVIL}> <{GOOD}>',
    f"From: =?utf-8?q?<{EVIL}>?= <{GOOD}>",
    f"From: =?utf-8?q?{EVIL}?= <{GOOD}>",
    "From: =?utf-8?q?news=40good=2Eexample?=",
    "From: news=?utf-8?q?=40?=good.example",
    "From: <news@good.example(@evil.example)>",
    "From: <news(<a@evil.example>)@good.example>",
    "From: <a@evil.example@good.example>",
    'From: <"a@evil.example"@good.example>',
    'From: "a@evil.example, news"@good.example',
    "From: news@good.example\0.evil.example",
    "From: news@good.example.evil.example\u2028<x>",
    "From: news@\uff47ood.example",
    f"From: {' ' * 3_000}{GOOD}",
    f"From: {GOOD},{' ' * 3_000}{EVIL}",
]


@pytest.mark.parametrize(("head", "address", "name"), CLEAR)
def test_the_sender_is_the_address_as_it_is_written_before_anything_is_decoded(head, address, name):
    raw = f"{head}\nMessage-ID: <1@x>\n\n{FERRY}".encode()

    (entry,) = parse(raw, url=f"{URL}?from={address}").entries

    assert name is None or entry.authors == (name,)
    assert (parse(raw, url=f"{URL}?from=@good.example").entries != ()) == address.endswith("@good.example")


@pytest.mark.parametrize("head", UNCLEAR)
def test_a_mail_whose_sender_is_unclear_is_from_none_of_the_wanted_senders(head):
    raw = f"{head}\nMessage-ID: <1@x>\n\n{FERRY}".encode()

    feed = parse(raw, url=f"{URL}?from=@good.example&from=@evil.example")

    assert feed.entries == ()
    assert len(parse(raw).entries) == 1


def test_a_mail_of_a_wanted_sender_with_an_unclear_from_header_is_named():
    raw = f"From: Good, News <{GOOD}>\nSubject: Ferry\n\n{FERRY}".encode()

    feed = parse(raw, url=f"{URL}?from={GOOD}")

    assert feed.faults == ('the mail "Ferry" from Good, News is left out: its From header does not name one sender',)


def test_a_mail_that_cannot_be_read_is_named_and_the_others_are_entries():
    cut = mail(FERRY) + b"x" * MAX_MAIL_BYTES
    many = b"Message-ID: <many@x>\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 101
    long = b"X: y\n" * 1_001 + b"\n"

    feed = parse(nested(b"boundary=", 11), cut, many, long, mail(ENGINE, Message_ID="<2@x>"))

    assert [entry.title for entry in feed.entries] == ["Ferry runs again"] * 2
    assert feed.faults[:4] == (
        'the mail "Deep" from a@evil.example is left out: its parts are in more than 10 levels',
        'only the first 524,288 bytes of the mail "Ferry runs again" from news@mail.example.org were read',
        'the mail "<many@x>" from nobody is left out: it has more than 100 parts',
        'the mail "" from nobody is left out: it has more than 1,000 lines of headers',
    )


def nested(boundary: bytes, levels: int, size: int = 0) -> bytes:
    """Return a mail with parts in parts; `boundary` is the parameter's name as it is written, with "="."""
    head = b"Subject: Deep\nMessage-ID: <d@x>\nFrom: a@evil.example\n"
    parts = b"".join(b"Content-Type: multipart/mixed; %sb%d\n\n--b%d\n" % (boundary, n, n) for n in range(levels))
    text = head + parts + b"Content-Type: text/plain\n\n"
    return text + b"x\n" * ((size - len(text)) // 2)


def test_what_is_wrong_with_mails_that_could_not_be_read_is_a_fault():
    folder = FolderMails(url=URL, mails=(mail(FERRY),), faults=("the mail with UID 2 is left out: corrupt",))
    feed = parse_mails(folder, now=NOW)

    assert (len(feed.entries), feed.faults) == (1, ("the mail with UID 2 is left out: corrupt",))


def test_parts_are_found_as_their_delimiters_are_written():
    page = f"<p>{FERRY}</p>".encode()
    parts = (
        b"Content-Type: multipart/mixed;\r\n boundary*0=ou; boundary*1=ter\r\n\r\nPreamble\r\n--outer not a line\r\n"
        b"--outer \t\r\nContent-Type: multipart/alternative; boundary = outerx\r\n\r\n--outerx\r\n\r\nplain\r\n"
        b"--outerx\r\nContent-Type: text/html\r\n\r\n" + page + b"\r\n--outerx--\r\nEpilogue\r\n"
        b"--outer\r\nContent-Type: text/plain\r\n\r\nA second text.\r\n--outer--\r\nEpilogue"
    )
    attached = b"Content-Type: message/rfc822\n\nSubject: Other\nContent-Type: text/html\n\n" + page

    assert only_entry(b"Message-ID: <1@x>\r\n" + parts).text == FERRY
    assert only_entry(b"Message-ID: <1@x>\r\n" + parts[: parts.index(b"\r\n--outerx--")]).text == FERRY
    assert only_entry(b"Message-ID: <1@x>\n" + attached).text == FERRY


def test_two_mails_with_one_id_are_one_entry_that_keeps_it():
    (entry,) = parse(mail(FERRY), mail(FERRY)).entries

    assert entry.guid == "mid:one@example.org"


@pytest.mark.slow
def test_a_mail_of_another_sender_is_neither_parsed_nor_named():
    started = time.process_time()

    feed = parse(*HOSTILE[:4], mail(FERRY), url=f"{URL}?from=@example.org")

    assert time.process_time() - started < 2
    assert (len(feed.entries), feed.faults) == (1, ())


@pytest.mark.slow
def test_ten_mails_of_empty_parts_take_no_longer_than_others():
    empty = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 110_000
    started = time.process_time()

    parse(*(b"Message-ID: <%d@x>\n" % number + empty[: MAX_MAIL_BYTES - 50] for number in range(10)))

    assert time.process_time() - started < 2


HOSTILE = [
    nested(b"boundary*=us-ascii''", 480, MAX_MAIL_BYTES),
    nested(b"boundary  =", 480, MAX_MAIL_BYTES),
    nested(b"boundary=", 9, MAX_MAIL_BYTES),
    b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 110_000,
    b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b " * 130_000,
    b"Content-Type: text/html" + b";a" * 250_000 + b"\n\n<p>x",
    b'Content-Type: text/html; a="' + b";" * 500_000 + b"\n\n<p>x",
    b"From: " + b'"a\\' * 170_000 + b"\n\n",
    b"From: a <b@c.example>\n" * 24_000 + b"\n",
    b"From:" + b"\n " * 250_000 + b"\n\n",
    b"Content-Type: text/plain\n\n" + (b"view read open " * 13 + b"\n") * 2_600,
    b"Content-Type: text/plain; charset=punycode\n\n" + b"x" * 500_000,
    b"Subject: =?utf-8?q?" + b"=41" * 100_000 + b"?=\n\n",
    b"Subject: " + b"=?utf-8?b?QQ==?= " * 60_000 + b"\n\n",
    b"From: " + b"(" * 500_000 + b"\n\n",
    b"Content-Type: text/html; charset=" + b"x" * 500_000 + b"\n\n<p>x",
    b"Content-Type: text/html; charset=rot13\nContent-Transfer-Encoding: x-uuencode\n\nbegin 666 x\n"
    + b"\xff" * 500_000,
    b"Content-Type: text/html\n\n" + b"<div style=display:none " * 40_000,
    b"Content-Type: text/html\n\n" + b"<p>" * 80_000 + b"</b>" * 60_000,
    b"Content-Type: text/html\n\n" + b"<div hidden>" * 20_000 + b"</div></b>" * 25_000,
    b"Content-Type: text/html\n\n" + b"<a \"b'" * 80_000,
    b"Content-Type: text/html\n\n<p style='" + b"font:1;" * 70_000 + b"'>",
    b"Content-Type: text/html\n\n<p style='font:" + b"1 " * 250_000 + b"'>",
    b"Content-Type: text/html\n\n<p style='font:" + b"1" * 500_000 + b"'>",
    b"Content-Type: text/html\n\n<p style='" + b"/* " * 160_000 + b"'>",
    b"Content-Type: text/html\n\n<p hidden " + b"a =" * 160_000 + b">",
    b"Content-Type: text/html\n\n" + b"<td>&zwnj;&nbsp;" * 60_000,
    b"Content-Type: text/plain\n\n" + b"(https://" * 100_000,
    b"Content-Type: text/plain\n\n" + (b"a" * 50 + b"\n") * 20_000,
    b"X: y\n" * 200_000,
]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_no_hostile_mail_takes_long(number):
    started = time.process_time()

    parse(HOSTILE[number])

    assert time.process_time() - started < 2


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: f"Subject: {text}\n\n{text}".encode()))
)
def test_any_bytes_can_be_parsed(mails):
    parse(*mails)
