"""Each channel keeps the contract."""

from __future__ import annotations

import json
import mailbox
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from digests.model.delivery import OutboundMessage, Rendered
from digests.settings.channel import Channel
from digests.settings.channels import channel_models
from digests.settings.mail import SmtpSettings
from tests.delivery.channel_contract import SECRET, ChannelContract
from tests.delivery.hook import listening
from tests.delivery.mail_server import MailServer
from tests.delivery.tables import deliver_table
from watcher.settings.load import settings_model

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

SENDER = "digest@example.org"
MAIL = b"From: digest@example.org\r\n\r\n.\r\nnews\r\n"
PROGRAM = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
assert sys.argv[2:] == ["-f", "digest@example.org", "--", "ann@example.net"], sys.argv
mail = sys.stdin.buffer.read()
mode = (folder / "mode").read_text()
if mode == "hangs":
    time.sleep(600)
if mode == "refuses":
    print("no such user\\x1b[31m")
    sys.exit(67)
if mode == "goes_away":
    sys.exit(75)
number = len(list(folder.glob("*.eml")))
(folder / f"{number}.eml").write_bytes(mail)
"""


def opened(given: dict[str, object], server: SmtpSettings | None = None) -> Channel:
    settings = settings_model().model_validate({}, context={"folder": Path("/nowhere")})
    return deliver_table(given).open(settings.model_copy(update={"smtp": server or SmtpSettings()}), sender=SENDER)


def test_every_channel_of_the_settings_has_its_tests():
    tested = {each.name for each in ChannelContract.__subclasses__() if each.__module__ == __name__}

    assert set(channel_models()) == tested
    assert "smtp" in settings_model().model_fields


class FolderSide:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "copies"

    def open(self) -> Channel:
        return opened({"channel": "file", "directory": str(self.folder)})

    def parcel(self) -> OutboundMessage:
        forms = (
            Rendered(format="markdown", name="2025-03-14.md", body=b"# News\n"),
            Rendered(format="text", name="2025-03-14.txt", body=b"NEWS\n"),
        )
        return OutboundMessage(channel="file", recipient=str(self.folder), forms=forms)

    def received(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self.folder.glob("*"))] if self.folder.is_dir() else []

    def goes_away(self) -> None:
        pytest.skip("a disk that is full for a while is in test_file.py")

    def refuses(self) -> None:
        self.folder.write_text("a file where the folder should be")

    def hangs(self) -> None:
        pass  # a disk answers, or not at all


class TestFile(ChannelContract):
    name = "file"

    @pytest.fixture
    def other(self, tmp_path):
        return FolderSide(tmp_path)


class MaildirSide(FolderSide):
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "Maildir"

    def open(self) -> Channel:
        return opened({"channel": "maildir", "directory": str(self.folder)})

    def parcel(self) -> OutboundMessage:
        form = Rendered(format="eml", name="2025-03-14.eml", body=MAIL)
        return OutboundMessage(channel="maildir", recipient=str(self.folder), forms=(form,))

    def received(self) -> list[bytes]:
        """Return the new mails as a mail program reads them; none is left in `tmp`, and only their owner reads them."""
        if not self.folder.is_dir():
            return []
        box = mailbox.Maildir(self.folder, create=False)
        paths = list((self.folder / "new").iterdir())
        assert len(paths) == len(box) and not list((self.folder / "tmp").iterdir())
        assert {path.stat().st_mode & 0o777 for path in paths} <= {0o600}
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in sorted(paths)]


class TestMaildir(ChannelContract):
    name = "maildir"

    @pytest.fixture
    def other(self, tmp_path):
        return MaildirSide(tmp_path)


class ServerSide:
    def __init__(self, server: MailServer) -> None:
        self.server = server

    def open(self) -> Channel:
        login = {"user": "user", "password": "env:WATCHER_TEST_SECRET"}
        place = {"host": "127.0.0.1", "port": self.server.port, "timeout": timedelta(seconds=20)}
        return opened({"channel": "smtp"}, SmtpSettings.model_validate(login | place, context={}))

    def parcel(self) -> OutboundMessage:
        form = Rendered(format="eml", name="2025-03-14.eml", body=MAIL)
        return OutboundMessage(channel="smtp", recipient="ann@example.net", forms=(form,))

    def received(self) -> list[bytes]:
        return [mail.body for mail in self.server.taken]

    def goes_away(self) -> None:
        self.server.at = {"connect": "drop"}

    def refuses(self) -> None:
        self.server.at = {"AUTH": f"535 not with {SECRET}"}

    def hangs(self) -> None:
        self.server.at = {"RCPT": "hang"}


class TestSmtp(ChannelContract):
    name = "smtp"

    @pytest.fixture
    def other(self, tls, monkeypatch):
        monkeypatch.setenv("WATCHER_TEST_SECRET", SECRET)
        with MailServer(tls=tls, password=SECRET) as server:
            yield ServerSide(server)


class ProgramSide:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "program.py").write_text(PROGRAM)
        (folder / "mode").write_text("")

    def open(self) -> Channel:
        program = [sys.executable, str(self.folder / "program.py"), str(self.folder)]
        return opened({"channel": "sendmail", "program": program})

    def parcel(self) -> OutboundMessage:
        form = Rendered(format="eml", name="2025-03-14.eml", body=MAIL)
        return OutboundMessage(channel="sendmail", recipient="ann@example.net", forms=(form,))

    def received(self) -> list[bytes]:
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in sorted(self.folder.glob("*.eml"))]

    def goes_away(self) -> None:
        (self.folder / "mode").write_text("goes_away")

    def refuses(self) -> None:
        (self.folder / "mode").write_text("refuses")

    def hangs(self) -> None:
        (self.folder / "mode").write_text("hangs")


class TestSendmail(ChannelContract):
    name = "sendmail"

    @pytest.fixture
    def other(self, tmp_path):
        return ProgramSide(tmp_path)


class HookSide:
    def __init__(self, hook) -> None:
        self.hook = hook

    def open(self) -> Channel:
        return opened({"channel": "webhook", "url": "env:WATCHER_TEST_URL", "token": "env:WATCHER_TEST_SECRET"})

    def parcel(self) -> OutboundMessage:
        form = Rendered(format="json", name="2025-03-14.json", body='{"text":"日報"}'.encode())
        return OutboundMessage(channel="webhook", recipient="env:WATCHER_TEST_URL", forms=(form,))

    def received(self) -> list[bytes]:
        return [post.body for post in self.hook.posts]

    def goes_away(self) -> None:
        self.hook.answer = (503, {}, b"later")

    def refuses(self) -> None:
        self.hook.answer, self.hook.repeats = (404, {}, b"no hook at"), True

    def hangs(self) -> None:
        self.hook.hangs = True


class TestWebhook(ChannelContract):
    name = "webhook"

    @pytest.fixture
    def other(self, monkeypatch):
        with listening() as hook:
            monkeypatch.setenv("WATCHER_TEST_URL", hook.url(f"/services/{SECRET}"))
            monkeypatch.setenv("WATCHER_TEST_SECRET", SECRET)
            yield HookSide(hook)


class AppriseSide(HookSide):
    def open(self) -> Channel:
        return opened({"channel": "apprise", "url": "env:WATCHER_TEST_URL"})

    def parcel(self) -> OutboundMessage:
        body = json.dumps({"title": "News", "text": ["News", "1. 日報", "https://a.example/1"]}).encode()
        form = Rendered(format="apprise", name="2025-03-14.json", body=body)
        return OutboundMessage(channel="apprise", recipient="env:WATCHER_TEST_URL", forms=(form,))

    def received(self) -> list[bytes]:
        """Return what has arrived, in the form in which it was given to the channel."""
        told = [json.loads(post.body) for post in self.hook.posts]
        forms = [{"title": one["title"], "text": [one["title"], *one["message"].splitlines()]} for one in told]
        return [json.dumps(form).encode() for form in forms]


@pytest.mark.skipif(find_spec("apprise") is None, reason="Apprise is not installed: pip install '.[apprise]'")
class TestApprise(ChannelContract):
    name = "apprise"

    @pytest.fixture
    def other(self, monkeypatch):
        with listening() as hook:
            url = f"json://user:{SECRET}@127.0.0.1:{hook.port}/{SECRET}?format=text"
            monkeypatch.setenv("WATCHER_TEST_URL", url)
            yield AppriseSide(hook)
