"""An edition's files: where they link to, and the feed of all editions beside them."""

from __future__ import annotations

import email
import zipfile
from datetime import UTC, datetime, timedelta
from email import policy

import feedparser
import pytest

from digests.delivery.file import write_files
from digests.edition.publish import build_messages, render_files
from digests.edition.schedule import EditionRequest
from digests.errors import DigestError
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY, Slot, parse_slot
from tests.delivery.tables import deliver_table
from tests.edition.factory import make_edition
from watcher.model import Revision
from watcher.store.pages import record_recheck
from watcher.store.writer import write

DAY_S = timedelta(days=1)
FIRST = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)


@pytest.fixture
def digest() -> DigestSettings:
    given = {
        "formats": ["html", "eml", "atom"],
        "url": "https://example.org/digest",
        "mail": {"from": "Desk <desk@example.org>"},
    }
    return DigestSettings.model_validate(given, context={})


def make(engine, digest, end: datetime, folder, *, slot: Slot = DAILY, suffix: str = ""):
    order = EditionRequest(
        local_date=end.date(), window_start=end - DAY_S, window_end=end, slot=slot, folder=folder, suffix=suffix
    )
    return make_edition(engine, digest, order, now=end)


@pytest.mark.slow
def test_the_feed_grows_with_each_edition(engine, digest, put, tmp_path):
    for days in range(3):
        put("Gazette", f"The harbour opens on day {days}. Ships wait.", FIRST + days * DAY_S - timedelta(hours=2))
        make(engine, digest, FIRST + days * DAY_S, tmp_path)

    parsed = feedparser.parse((tmp_path / "feed.atom").read_bytes())

    assert [entry.link for entry in parsed.entries] == [
        f"https://example.org/digest/2026-11-{day}.html" for day in (24, 23, 22)
    ]
    assert parsed.feed.links[0].href == "https://example.org/digest/feed.atom"
    assert parsed.entries[0].id == "tag:example.org,2026:watcher/world/2026-11-24"


@pytest.mark.slow
def test_an_older_edition_written_again_takes_none_from_the_feed(engine, digest, put, tmp_path):
    put("Gazette", "The harbour opens. Ships wait.", FIRST - timedelta(hours=2))
    first = make(engine, digest, FIRST, tmp_path)
    make(engine, digest, FIRST + DAY_S, tmp_path)
    before = (tmp_path / "feed.atom").read_bytes()

    write_files(render_files(engine, first, digest, digest.formats), tmp_path)

    assert (tmp_path / "feed.atom").read_bytes() == before


@pytest.mark.slow
def test_a_mail_for_a_maildir_needs_no_address_of_a_reader(engine, digest, put, tmp_path):
    put("Gazette", "The harbour opens. Ships wait.", FIRST - timedelta(hours=2))
    edition = make(engine, digest, FIRST, tmp_path)
    folder = str(tmp_path / "Maildir")
    local = digest.model_copy(update={"deliver": (deliver_table({"channel": "maildir", "directory": folder}),)})

    (message,) = build_messages(engine, edition, local)

    mail = email.message_from_bytes(message.forms[0].body, policy=policy.default)
    assert (message.recipient, mail["To"]) == (folder, "you@localhost")
    known = local.mail.model_copy(update={"to": ("Ann <ann@example.net>", "bob@example.net")})
    (message,) = build_messages(engine, edition, local.model_copy(update={"mail": known}))
    mail = email.message_from_bytes(message.forms[0].body, policy=policy.default)
    assert (message.recipient, mail["To"]) == (folder, "ann@example.net")
    assert "The harbour opens" in mail.get_body(("plain",)).get_content()


@pytest.mark.slow
def test_a_book_has_the_texts_as_they_were_at_the_end_of_the_window(engine, digest, put, tmp_path):
    old = put("Gazette", "The harbour opens. Ships wait in the rain.", FIRST - timedelta(hours=2)).id
    gone = put("Ledger", "A ferry sinks. Nobody was hurt at sea.", FIRST - timedelta(hours=2)).id
    changes = (
        Revision(article_id=old, at=FIRST - timedelta(hours=1), kind="changed", title="", text="Ships left at noon."),
        Revision(article_id=old, at=FIRST + timedelta(hours=1), kind="changed", title="", text="Ships sank at noon."),
        Revision(article_id=gone, at=FIRST + timedelta(hours=1), kind="gone", title="", text=""),
    )
    for change in changes:
        write(engine, record_recheck, change.article_id, now=change.at, revision=change)

    wanted = {"formats": ("epub",), "must": ("harbour", "ferry")}  # their sentences are too short to be quoted
    edition = make(engine, digest.model_copy(update=wanted), FIRST, tmp_path)

    with zipfile.ZipFile(tmp_path / "2026-11-22.epub") as book:
        told = " ".join(book.read(name).decode() for name in book.namelist())
    assert edition is not None and len(edition.stories) == 2
    assert "Ships left at noon." in told and "Nobody was hurt at sea." in told
    assert "sank at noon" not in told and "in the rain" not in told


def test_the_mail_links_the_page_that_was_written_with_it(engine, digest, put, tmp_path):
    put("Gazette", "The harbour opens. Ships wait.", FIRST - timedelta(hours=2))
    make(engine, digest, FIRST, tmp_path, slot=parse_slot("07:15"), suffix="-071500")

    message = email.message_from_bytes((tmp_path / "2026-11-22-071500.eml").read_bytes(), policy=policy.default)

    assert (tmp_path / "2026-11-22-071500.html").is_file()
    assert 'href="https://example.org/digest/2026-11-22-071500.html"' in message.get_body(("html",)).get_content()


@pytest.mark.slow
def test_a_book_is_attached_to_the_mail_of_those_who_want_it(engine, digest, put, tmp_path):
    put("Gazette", "The harbour opens. Ships wait.", FIRST - timedelta(hours=2))
    edition = make(engine, digest, FIRST, tmp_path)
    ways = [{"channel": "smtp", "to": ["a@kindle.com", "b@kindle.com"], "attach": ["epub"]}]
    ways += [{"channel": "smtp", "to": ["c@example.org"]}]
    deliver = tuple(map(deliver_table, ways))

    found = build_messages(engine, edition, digest.model_copy(update={"deliver": deliver}), suffix="-071500")

    (book,) = render_files(engine, edition, digest, ("epub",), suffix="-071500")
    mails = [email.message_from_bytes(each.forms[0].body, policy=policy.SMTP) for each in found]
    assert [mail["To"] for mail in mails] == ["a@kindle.com", "b@kindle.com", "c@example.org"]
    kinds = [[part.get_content_type() for part in mail.walk()] for mail in mails]
    text = ["multipart/alternative", "text/plain", "text/html"]
    assert kinds == [["multipart/mixed", *text, "application/epub+zip"]] * 2 + [text]
    for mail in mails[:2]:
        (attached,) = mail.iter_attachments()
        assert attached.get_content() == book.body and attached.get_filename() == "2026-11-22-071500.epub"
        assert mail.get_body(("html",)).get_content() == mails[2].get_body(("html",)).get_content()
        assert [defect for part in mail.walk() for defect in part.defects] == []
        assert max(map(len, mail.as_bytes().split(b"\r\n"))) <= 998


@pytest.mark.slow
def test_a_template_that_is_wrong_stops_the_edition_before_a_file_is_written(engine, digest, put, tmp_path):
    own = tmp_path / "templates"
    own.mkdir()
    (own / "mail.html.j2").write_text("\n{{ v.nothing }}")
    put("Gazette", "The harbour opens. Ships wait.", FIRST - timedelta(hours=2))

    with pytest.raises(DigestError, match=r"mail\.html\.j2:2: .*nothing"):
        make(engine, digest.model_copy(update={"templates": own}), FIRST, tmp_path / "out")

    assert not (tmp_path / "out").exists()
