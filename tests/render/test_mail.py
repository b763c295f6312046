"""A mail that arrives as it was written, loads nothing and stays within its budget."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from datetime import timedelta
from email import policy
from itertools import pairwise

import pytest
from lxml import html as lxml_html

from digests.errors import DigestError
from digests.render.edition_view import edition_view
from digests.render.forms import MailHead, render
from digests.render.mail import BUDGET, _shorten_steps, address_to, compose_mail
from tests.render.reading import sent_through_smtp

TO = MailHead(sender="digest@example.org", to=("reader@example.net",))


def raw(edition, settings: MailHead = TO) -> bytes:
    return render(edition, ["eml"], mail=settings)[0].body


def parsed(edition, settings: MailHead = TO):
    return email.message_from_bytes(raw(edition, settings), policy=policy.default)


def html_of(message) -> str:
    return message.get_body(("html",)).get_content()


def with_title(editions, title: str):
    section = editions.Section(title="x", anchor="x", stories=(replace(editions.story(1), title=title),))
    return editions.edition((section,))


def test_the_headers_say_what_a_mail_of_a_list_says(editions):
    message = parsed(editions.small(), replace(TO, sender="Die Wächter <digest@example.org>"))

    assert message["Subject"] == editions.small().stories[0].title
    assert message["From"].addresses[0].display_name == "Die Wächter"
    assert message["To"] == "reader@example.net"
    assert message["Date"].datetime == editions.small().made_at
    assert message["Message-ID"] == "<2025-03-14.053100000000.world@example.org>"
    assert message["List-Id"] == '"World Digest" <world.example.org>'
    assert message["List-Unsubscribe"] == "<mailto:digest@example.org?subject=unsubscribe%20world>"
    assert message["List-Post"] == "NO"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"


@pytest.mark.slow
def test_two_editions_of_one_date_have_two_message_ids_and_each_keeps_its_own(editions):
    first, second = (replace(editions.small(), made_at=editions.END + timedelta(hours=n)) for n in (0, 5))

    ids = [parsed(edition)["Message-ID"] for edition in (first, first, second)]

    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("address", ["https://example.org/stop?" + "x" * 800, "mailto:stop@example.org?subject=no"])
def test_the_readers_own_way_to_stop_it_stands_in_head_and_body(editions, address):
    message = parsed(editions.small(), replace(TO, unsubscribe=address))

    assert message["List-Unsubscribe"] == f"<{address}>"
    assert address in message.get_body(("plain",)).get_content()
    assert f'href="{address}"' in html_of(message)


@pytest.mark.slow
@pytest.mark.parametrize("before", [(), ("a@example.net",), tuple(f"reader{n}@example.net" for n in range(12))])
def test_a_mail_is_addressed_anew_without_another_change(editions, before):
    edition = editions.rich()
    message = compose_mail(edition_view(edition), edition, replace(TO, to=before))

    address_to(message, "Ann <ann@example.net>")

    assert message.as_bytes() == raw(editions.rich(), replace(TO, to=("ann@example.net",)))


def test_an_empty_edition_has_its_title_as_subject(editions):
    assert parsed(editions.empty())["Subject"] == "World Digest No. 148, Friday, 14 March 2025"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small", "empty", "rich", "moved", "heavy", "long"])
def test_text_comes_first_and_nothing_is_wrong_with_the_mime(editions, name):
    body = raw(getattr(editions, name)())

    message = email.message_from_bytes(body, policy=policy.default)
    parts = list(message.walk())
    assert [p.get_content_type() for p in parts] == ["multipart/alternative", "text/plain", "text/html"]
    assert [defect for part in parts for defect in part.defects] == []
    assert body.isascii()
    assert body.count(b"\n") == body.count(b"\r\n")
    assert max(len(line) for line in body.split(b"\r\n")) <= 998


@pytest.mark.slow
@pytest.mark.parametrize(
    "title",
    [
        "速報：山間部で大規模な地滑り、二千人以上が行方不明の恐れ 政府が国際支援を要請 🚀" * 3,
        "عاجل: زلزال يضرب المنطقة الساحلية ويخلف عشرات القتلى والجرحى في حصيلة أولية غير نهائية" * 2,
        "Émeutes à l’île : 7 morts – « assez ! »",
        "=?utf-8?q?fake?= encoded =?us-ascii?b?eA==?=",
        "a" * 299,
        "word " * 59 + "end",
        'He said: "no, never", (perhaps) <really>; a@b, c_d?=',
        "Ends with blank_and=equals?",
        "İzmir’de deprem; ß, ø, ł, 😀",
    ],
)
def test_a_hostile_subject_comes_back_as_it_was(editions, title):
    body = raw(with_title(editions, title))

    head = body.split(b"\r\n\r\n")[0]
    message = email.message_from_bytes(body, policy=policy.default)
    assert str(message["Subject"]) == title
    assert message["Subject"].defects == ()
    words = re.findall(rb"=\?utf-8\?[bq]\?[^? ]*\?=", head)
    assert all(len(word) <= 75 for word in words)
    assert all(len(line) <= 78 for line in head.split(b"\r\n"))


def test_a_title_cannot_write_headers(editions):
    message = parsed(with_title(editions, "News\r\nBcc: victim@example.net\r\n\r\n<script>\ud800"))

    assert message["Bcc"] is None
    assert message["Subject"] == "News Bcc: victim@example.net <script>\ufffd"


def test_a_digest_name_in_other_letters_still_makes_addresses(editions):
    message = parsed(replace(editions.small(), digest="Überblick / 日報", title="Überblick „heute“"))

    assert re.fullmatch(r"<2025-03-14\.053100000000\.[0-9a-f]{12}@example\.org>", message["Message-ID"])
    assert message["From"].addresses[0].display_name == "Überblick „heute“"


@pytest.mark.parametrize("sender", ["nobody", "a@b@", "ünï@example.org", "x <>", "two words@example.org", ""])
def test_a_sender_that_is_no_address_is_an_error_in_words(editions, sender):
    with pytest.raises(DigestError, match="is not a mail address"):
        raw(editions.small(), replace(TO, sender=sender))


def test_a_mail_without_readers_is_still_a_whole_mail(editions):
    message = parsed(editions.small(), MailHead())

    assert message["To"] == "undisclosed-recipients:;"
    assert message["To"].defects == ()


def test_long_addresses_stay_whole(editions):
    readers = tuple(f"a.reader.with.a.long.name.{n}@mail.example.net" for n in range(12))

    body = raw(editions.small(), replace(TO, to=readers))

    message = email.message_from_bytes(body, policy=policy.default)
    assert [str(a) for a in message["To"].addresses] == list(readers)
    assert b"=?" not in body.split(b"\r\n\r\n")[0]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_html_part_fulfils_the_checks_of_the_email_markup_consortium(editions, language):
    """The ten commonest faults of its report of 2026 that markup can have, and its standards 2.3, 2.5 and 2.6."""
    edition = replace(editions.moved(), language=language)
    page = lxml_html.document_fromstring(html_of(parsed(edition, replace(TO, base_url="https://example.org/today"))))

    wanted = (language, "rtl" if language == "ar" else "ltr")
    holders = [page, page.find("body"), *page.xpath("body/*[not(self::comment())]")]
    assert len(holders) == 4 and {(each.get("lang"), each.get("dir")) for each in holders} == {wanted}
    assert page.xpath("//table[not(@role='presentation')] | //img | //main") == []
    assert len(page.xpath("//h1")) == 1 and page.findtext("head/title").strip()
    assert all(link.text_content().strip() for link in page.xpath("//a[@href]"))
    (article,) = page.xpath("//*[@role='article']")
    assert article.get("aria-label") == page.findtext("head/title")
    assert "user-scalable" not in page.xpath("//meta[@name='viewport']/@content")[0]
    levels = [int(heading.tag[1]) for heading in page.xpath("//h1 | //h2 | //h3 | //h4")]
    assert all(below <= above + 1 for above, below in pairwise(levels))


@pytest.mark.slow
def test_the_html_part_loads_nothing_and_is_styled_in_its_elements(editions):
    source = html_of(parsed(editions.rich()))

    assert not re.search(r"<(script|img|link|iframe|svg)\b|\bsrc=|url\(|@import", source)
    assert "prefers-color-scheme: dark" in source
    assert source.count("<style") == 1
    assert re.search('<h3 [^>]*style="[^"]*font-size:28px', source)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rich", "heavy"])
def test_fifteen_stories_weigh_at_most_sixty_kilobytes(editions, name):
    assert len(html_of(parsed(getattr(editions, name)(stories=15))).encode()) <= 60_000


@pytest.mark.slow
def test_a_mail_above_its_budget_is_shortened_and_says_so(editions):
    body = raw(editions.long())

    assert len(body) <= BUDGET
    message = email.message_from_bytes(body, policy=policy.default)
    for part in message.iter_parts():
        source = " ".join(part.get_content().split())
        assert "This mail was shortened to stay small. Left out: the lists of outlets" in source
        assert editions.SENTENCES[0] in source
        assert source.index("40. ", source.index(editions.SENTENCES[0])) < source.index("This mail was shortened")


def test_a_mail_within_its_budget_is_whole(editions):
    assert "shortened" not in html_of(parsed(editions.small()))


@pytest.mark.slow
def test_the_least_missed_goes_first(editions):
    edition = editions.rich(stories=6)
    whole = raw(edition)

    fewer = raw(edition, replace(TO, budget=len(whole) - 1))
    source = html_of(parsed(edition, replace(TO, budget=len(fewer) - 1)))

    assert b"shortened" not in fewer  # the outlets that are no longer named are counted
    assert "Left out: the lists of outlets." in source
    assert "Also reported" in source


def text_of(message) -> str:
    return " ".join(message.get_body(("plain",)).get_content().split())


@pytest.mark.slow
def test_the_plain_part_is_the_first_that_does_not_say_what_differs(editions):
    edition = editions.heavy(3)

    message = parsed(edition, replace(TO, budget=len(raw(edition)) - 1))

    assert "shortened" not in html_of(message)
    assert html_of(message) == html_of(parsed(edition))
    assert "Left out: how the coverage differs, more on the same subjects." in text_of(message)
    assert "How the coverage differs:" in text_of(parsed(edition))
    assert "How the coverage differs:" not in text_of(message)


def test_what_differs_goes_before_the_news_itself_and_from_the_end(editions):
    tried = [step.view for step in _shorten_steps(edition_view(editions.heavy(9)))][:11]

    assert [(each.left_out, sum(bool(story.perspectives) for story in each.stories)) for each in tried] == [
        ((), 9),
        ((), 9),
        ((), 9),
        *(((f"how the coverage differs, except for the first {n} stories",), n) for n in (8, 6, 5, 4, 3, 2)),
        (("how the coverage differs",), 0),
        (("how the coverage differs", "more on the same subjects"), 0),
    ]
    assert all(story.related for each in tried[:10] for story in each.stories)


def test_the_outlets_listed_and_those_counted_are_all_of_a_story_however_short_a_mail_is(editions):
    edition = editions.heavy(9)
    outlets = {story.number: {mention.outlet for mention in story.mentions} for story in edition.stories}

    for step in list(_shorten_steps(edition_view(edition)))[:11]:
        for story in step.view.stories:
            listed = story.short_list
            copies = sum(line.copies for line in listed)
            assert len(listed) + copies + story.count_unlisted(listed) == len(outlets[story.number])


@pytest.mark.slow
def test_what_is_there_only_if_there_is_room_leaves_a_mail_of_fifteen_stories(editions):
    bare = editions.rich(15)
    voices = editions.lead_with_all().perspectives
    edition = editions.each(bare, lambda story: replace(story, perspectives=voices))

    assert "shortened" not in html_of(parsed(bare))
    assert "Left out: how the coverage differs" in html_of(parsed(edition))
    assert len(raw(edition)) <= 60_000


@pytest.mark.slow
def test_corrections_stay_in_the_shortest_mail(editions):
    source = html_of(parsed(editions.heavy(40), replace(TO, budget=1)))

    assert "Headline changed" in source
    assert editions.SENTENCES[0] not in source


def test_a_part_in_other_letters_is_sent_the_shorter_way(editions):
    title = "速報：山間部で大規模な地滑り、二千人以上が行方不明の恐れ 政府が国際支援を要請 "
    story = replace(editions.story(1), title=title, summary=(editions.sentence(1, 4, text=title * 20),), mentions=())
    edition = editions.edition((editions.Section(title="x", anchor="x", stories=(story,)),))

    message = parsed(edition)

    assert message.get_body(("plain",))["Content-Transfer-Encoding"] == "base64"
    assert title.split(" ")[1] in message.get_body(("plain",)).get_content()
    assert parsed(editions.small()).get_body(("plain",))["Content-Transfer-Encoding"] == "quoted-printable"


def test_a_page_to_read_in_the_browser_is_linked_if_there_is_one(editions):
    linked = parsed(editions.small(), replace(TO, base_url="https://example.org/digest/2025-03-14"))

    assert 'href="https://example.org/digest/2025-03-14"' in html_of(linked)
    assert "Read in the browser: https://example.org/digest/2025-03-14" in linked.get_body(("plain",)).get_content()
    assert "Read in the browser" not in html_of(parsed(editions.small()))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small", "moved", "rich"])
async def test_a_mail_goes_through_a_real_server_unchanged(editions, name):
    body = raw(getattr(editions, name)())

    assert await sent_through_smtp(body) == [body]
