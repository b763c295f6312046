"""Newsletters from a maildir and an IMAP server become articles and are quoted; no mail is changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest

from tests.imap_server import DOVECOT, PASSWORD, REASON, USER, imap_server
from watcher.cli.main import run_command_line

pytestmark = [pytest.mark.slow, pytest.mark.skipif(DOVECOT is None, reason=REASON)]  # starts worker processes

# Without a day of the week: a sentence about Monday is background from Wednesday on.
FERRY = (
    "The ferry between the towns of Alt and Neu runs again, the harbour office said.",
    "Its engine was taken apart over the winter, and two of its four pistons are new.",
    "Tickets cost as much as last year, and children under six travel without one.",
)
AGAIN = (
    "After a winter of repairs the ferry between the towns of Alt and Neu runs again. The harbour office said "
    "that two of its four pistons are new. A ticket costs as much as last year."
)
SETTINGS = """
[store]
url = "sqlite:///w.db"
[semantic]
embedder = "none"
[fetch]
host_delay = "0s"
[[digests]]
name = "daily"
formats = ["markdown", "html", "json"]
directory = "out"
[[sources]]
name = "Harbour News"
url = "{imap}?from=@harbour.example"
password = "file:password"
[[sources]]
name = "Town Letter"
url = "maildir:box"
[[sources]]
name = "Wrong"
url = "{imap}"
password = "file:wrong"
[[sources]]
name = "Missing"
url = "maildir:missing"
"""


SENT = format_datetime(datetime.now(UTC) - timedelta(hours=1))  # one time, so that no letter is the newer one


def letter(number: int, title: str, sender: str, *texts: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = sender, title, f"<{number}@example.org>"
    mail["Date"] = SENT
    body = "".join(f"<p>{text}</p>" for text in ("View this email in your browser", *texts, "Unsubscribe"))
    mail.set_content(f'<html><body>{body}<img src="http://127.0.0.1:9/open.gif"></body></html>', subtype="html")
    return bytes(mail)


@pytest.fixture
def folder(tmp_path):
    with imap_server() as server:
        server.deliver(letter(1, "Ferry between Alt and Neu runs again", "Post <a@news.harbour.example>", *FERRY))
        server.deliver(letter(2, "Your bill", "Bank <b@bank.example>", "You owe us 100 euros. " * 9))
        for part in ("new", "cur", "tmp"):
            (tmp_path / "box" / part).mkdir(parents=True)
        town = letter(3, "Alt-Neu ferry is back after winter repairs", "Town <t@town.example>", AGAIN)
        (tmp_path / "box" / "new" / "1").write_bytes(town)
        (tmp_path / "password").write_text(f"{PASSWORD}\n")
        (tmp_path / "wrong").write_text("marked-password\n")
        (tmp_path / "settings.toml").write_text(SETTINGS.format(imap=server.url()))
        yield tmp_path
        assert server.flags() == set()


def test_newsletters_are_polled_grouped_quoted_and_left_as_they_are(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    lines = (
        "check --online",
        "poll --all",
        "poll --all --json",
        "digest",
        "verify",
        "status",
        "search ferry",
        "export",
    )
    shown = {}
    for line in lines:
        run_command_line([*line.split(), "--config", "settings.toml"])
        out = capsys.readouterr()
        shown[line] = out.out + out.err
    edition = next((folder / "out").glob("*.md")).read_text()
    stored = [json.loads(line) for line in shown["export"].splitlines() if line.startswith("{")]

    assert "4 sources checked: 2 OK, 2 failed" in shown["check --online"]
    assert "2 read, 0 not modified, 2 failed" in shown["poll --all"] and "2 articles stored" in shown["poll --all"]
    assert '"stored": 0' in shown["poll --all --json"] and '"unchanged": 2' in shown["poll --all --json"]
    assert {row["url"]: (row["outlet"], row["language"]) for row in stored} == {
        "mid:1@example.org": ("Harbour News", "en"),
        "mid:3@example.org": ("Town Letter", "en"),
    }
    assert f"{FERRY[0]} — Harbour News" in edition and "2 outlets, 2 independent" in edition
    assert "all verbatim" in shown["verify"]
    for words in (
        "the mail server refuses the user or the password",
        "check the user in the address, and the password",
        "the mail folder missing cannot be opened (a maildir has the folders new and cur)",
    ):
        assert words in shown["status"] and words in shown["check --online"]
    told = "".join(shown.values()) + edition
    assert not any(
        secret in told for secret in (PASSWORD, "marked-password", USER, "Your bill", "browser", "Unsubscribe")
    )
    assert [path.name for path in (folder / "box" / "new").iterdir()] == ["1"]


def test_mail_folders_are_added_by_their_address_or_by_hand(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    for part in ("new", "cur"):
        (folder / "other" / part).mkdir(parents=True)
    (folder / "other" / "cur" / "1:2,S").write_bytes(letter(4, "Fair", "Fair News <f@fair.example>", *FERRY))
    with_config = ["--config", "settings.toml"]

    added = run_command_line(["sources", "add", "maildir:other", *with_config])
    again = run_command_line(["sources", "add", f"maildir://{folder / 'other'}", *with_config])
    tested = run_command_line(["sources", "test", "Harbour News", *with_config])
    run_command_line(["sources", "export", *with_config])
    refused = run_command_line(["sources", "add", "imaps://me@127.0.0.1:9/INBOX", *with_config])
    out = capsys.readouterr()

    assert (added, again, tested, refused) == (0, 0, 0, 1)
    assert 'OK: 1 entry of "Post"' in out.out and "xmlUrl" not in out.out
    assert f"added Fair News (maildir://{folder / 'other'})" in out.out and "already in the settings" in out.out
    assert 'add the source to the settings, with password = "file:PATH"' in out.err
    assert 'name = "Fair News"' in (folder / "settings.toml").read_text()
