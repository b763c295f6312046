"""Whatever stands in a title, the head of the mail says it and nothing else."""

from __future__ import annotations

import email
import json
import re
import shutil
import subprocess
from dataclasses import replace
from email import policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from digests.render.edition_view import edition_view
from digests.render.forms import MailHead, render
from digests.render.mail import subject_line

HEADERS = (
    "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Post", "Auto-Submitted",
    "MIME-Version", "Content-Type", "Content-Language",
)  # fmt: skip
JAPANESE = "速報：山間部で大規模な地滑り、二千人以上が行方不明の恐れ 政府が国際支援を要請 🚀"
ARABIC = "عاجل: زلزال يضرب المنطقة الساحلية ويخلف عشرات القتلى والجرحى في حصيلة أولية غير نهائية"
HOSTILE = (
    "News\r\nBcc: victim@example.net\r\n\r\n<script>",
    "News\n\tcontinued\x0b\x0c\x1c\x85\u2028\u2029Bcc: x",
    "=?utf-8?q?=0d=0aBcc:_x?= =?utf-8?b?DQpCY2M6IHg=?=",
    "=?utf-8?q?open",
    "?= =?",
    "https://example.org/" + "a" * 280,
    JAPANESE * 3,
    ARABIC * 3,
    f"{ARABIC} {JAPANESE} plain words between {ARABIC}",
    "lone \ud800 and \udfff halves, \ud83d\ude80 a pair",
    "\u202eexe.gpj\u202c \u2066\u2067\u2068x\u2069 \u200f\u200e",
    "a\u0300\u0301\u0302\u0303\u0304\u0305 b",
    "'); DROP TABLE; \\ \" , < > ( ) [ ] : ; @ .",
    "x" * 76,
    " ".join(["y" * 70] * 4),
    "\x00\x01\x1b[31m red \x7f",
    "e\u0301" * 200,
    "",
    " ",
    "\u200b\u2060\ufeff",
)
ANY = st.one_of(
    st.text(st.characters(codec=None), max_size=320),
    st.text('=?utf-8qb_ \r\n\t,;:<>@"\\()ü日ع\ud800\u202e', max_size=320),
    st.lists(st.sampled_from(HOSTILE), max_size=3).map(" ".join),
)
QUIET = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def edition_with(editions, title: str, name: str):
    section = editions.Section(title="x", anchor="x", stories=(replace(editions.story(1), title=title),))
    return replace(editions.edition((section,)), title=name)


def mail(edition, **head) -> bytes:
    given = {"sender": "digest@example.org", "to": ("ann@example.net",)} | head
    return render(edition, ["eml"], mail=MailHead(**given))[0].body


def check(body: bytes, edition) -> None:
    """Assert that the head is sound and says what the edition says."""
    head = body.partition(b"\r\n\r\n")[0]
    assert body.isascii()
    assert b"\x00" not in body
    assert body.count(b"\r") == body.count(b"\n") == body.count(b"\r\n")
    message = email.message_from_bytes(body, policy=policy.default)
    assert tuple(message.keys()) == HEADERS
    assert [message[name].defects for name in HEADERS if message[name].defects] == []
    shown = edition_view(edition)
    assert str(message["Subject"]) == subject_line(shown)
    assert [each.addr_spec for each in message["From"].addresses] == ["digest@example.org"]
    assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?[bq]\?[^? ]*\?=", head))
    assert all(len(line) <= 78 for line in head.split(b"\r\n"))
    older = email.message_from_bytes(body, policy=policy.compat32)
    assert str(make_header(decode_header(older["Subject"].replace("\r\n", "")))) == subject_line(shown)
    name, _ = parseaddr(older["From"])  # the newer parser of Python 3.11 puts blanks between the words of a name
    assert str(make_header(decode_header(name))) == shown.title or not shown.title
    assert older.get_payload(0).get_payload(decode=True) and older.get_payload(1).get_payload(decode=True)


@pytest.mark.slow
@QUIET
@given(title=ANY, name=ANY)
@example(title=HOSTILE[0], name=HOSTILE[2])
def test_any_title_comes_back_as_it_is_shown(editions, title, name):
    edition = edition_with(editions, title, name or "World Digest")

    check(mail(edition), edition)


@pytest.mark.slow
@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_come_back_as_they_are_shown(editions, title):
    for edition in (edition_with(editions, title, "World Digest"), edition_with(editions, "News", title or "Digest")):
        check(mail(edition), edition)


@pytest.mark.slow
@pytest.mark.parametrize("length", [60, 76, 200, 900])
def test_long_addresses_are_never_cut(editions, length):
    address = ("https://example.org/stop?" + "id=0123456789&" * 100)[:length]
    readers = tuple(f"a.reader.with.quite.a.long.name.{n}@a-long-name-of-a-host.example.net" for n in range(20))

    message = email.message_from_bytes(mail(editions.small(), unsubscribe=address, to=readers), policy=policy.default)

    assert message["List-Unsubscribe"] == f"<{address}>"
    assert [each.addr_spec for each in message["To"].addresses] == list(readers)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl, whose Encode is another reader of headers")
def test_another_reader_of_headers_sees_the_same(editions):
    subjects, wanted = [], []
    for title in HOSTILE:
        edition = edition_with(editions, title, "World Digest")
        head = mail(edition).partition(b"\r\n\r\n")[0].decode()
        subjects.append(re.search(r"(?ms)^Subject: (.*?)\r\n(?! )", head)[1])
        wanted.append(subject_line(edition_view(edition)))
    script = (
        "use Encode; use JSON::PP; local $/; my $in = decode_json(<STDIN>);"
        'print JSON::PP->new->ascii->encode([map { decode("MIME-Header", $_) } @$in]);'
    )

    told = subprocess.run(
        ["perl", "-e", script], input=json.dumps(subjects), capture_output=True, text=True, check=True
    )

    assert json.loads(told.stdout) == wanted
