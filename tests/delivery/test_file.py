"""The channels that write into folders write whole editions or none."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from digests.delivery import file
from digests.delivery.file import FileDeliverSettings, write_files
from digests.delivery.maildir import MaildirChannel
from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage, Rendered

FORMS = (
    Rendered(format="markdown", name="2025-03-14.md", body=b"# News\n"),
    Rendered(format="eml", name="2025-03-14.eml", body=b"Subject: News\r\n\r\nx\r\n"),
)


def test_forms_are_written_byte_for_byte_into_a_new_folder(tmp_path):
    paths = write_files(FORMS, tmp_path / "out" / "world")

    assert [path.name for path in paths] == ["2025-03-14.md", "2025-03-14.eml"]
    assert [path.read_bytes() for path in paths] == [form.body for form in FORMS]
    assert sorted(path.name for path in (tmp_path / "out" / "world").iterdir()) == ["2025-03-14.eml", "2025-03-14.md"]


def test_a_mail_is_its_owners_alone_and_the_other_forms_have_the_mode_of_the_umask(tmp_path):
    (tmp_path / "2025-03-14.eml").write_text("an earlier one")
    before = os.umask(0o022)
    try:
        paths = write_files(FORMS, tmp_path)
    finally:
        os.umask(before)

    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o644, 0o600]


def test_an_older_edition_of_the_day_is_replaced(tmp_path):
    (tmp_path / "2025-03-14.md").write_text("old")

    write_files(FORMS, tmp_path)

    assert (tmp_path / "2025-03-14.md").read_bytes() == b"# News\n"


def test_a_full_disk_leaves_the_last_edition_and_no_litter(tmp_path, monkeypatch):
    (tmp_path / "2025-03-14.md").write_text("old")
    real = file._write_through

    def full_at_the_second(path: Path, body: bytes, mode: int) -> None:
        real(path, body, mode)
        if path.name.startswith(".2025-03-14.eml"):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file, "_write_through", full_at_the_second)

    with pytest.raises(DeliveryError, match="no space is left on the disk") as caught:
        write_files(FORMS, tmp_path)

    assert caught.value.channel == "file"
    assert not caught.value.permanent
    assert [path.name for path in tmp_path.iterdir()] == ["2025-03-14.md"]
    assert (tmp_path / "2025-03-14.md").read_text() == "old"


def test_a_full_disk_leaves_no_mail_and_no_litter_in_a_maildir(tmp_path, monkeypatch):
    real = file._write_through
    is_full = True

    def full_until_later(path: Path, body: bytes, mode: int) -> None:
        real(path, body, mode)
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file, "_write_through", full_until_later)
    message = OutboundMessage(channel="maildir", recipient=str(tmp_path / "box"), forms=FORMS[-1:])

    with pytest.raises(DeliveryError, match="no space is left on the disk") as caught:
        MaildirChannel().send(message, before_commit=lambda: None)

    assert (caught.value.channel, caught.value.permanent) == ("maildir", False)
    assert [path for path in (tmp_path / "box").rglob("*") if path.is_file()] == []
    is_full = False
    name = MaildirChannel().send(message, before_commit=lambda: None)
    assert [path.relative_to(tmp_path / "box") for path in (tmp_path / "box").rglob("*") if path.is_file()] == [
        Path("new") / name
    ]


def test_a_file_where_the_folder_should_be_is_said_in_words(tmp_path):
    (tmp_path / "out").write_text("")

    with pytest.raises(DeliveryError, match="it is a file, not a folder") as caught:
        write_files(FORMS, tmp_path / "out")
    assert caught.value.permanent

    with pytest.raises(DeliveryError, match="a part of the path is not a folder"):
        write_files(FORMS, tmp_path / "out" / "deeper")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said_in_words(tmp_path):
    tmp_path.chmod(0o500)

    with pytest.raises(DeliveryError, match="no permission to write there") as caught:
        write_files(FORMS, tmp_path)
    assert caught.value.permanent


@pytest.mark.parametrize("name", ["../up.md", "a/b.md", "", "..", "/etc/x", "a\0b"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    with pytest.raises(DeliveryError, match="is not a file name"):
        write_files((Rendered(format="markdown", name=name, body=b"x"),), tmp_path / "out")


class _Forms:
    """The content of a delivery, which is asked for its files."""

    def files(self, formats=()):
        return tuple(Rendered(format=name, name=f"2025-03-14.{name}", body=b"x") for name in formats or ("markdown",))


@pytest.mark.parametrize(("given", "formats"), [({}, ["markdown"]), ({"formats": ["html", "html"]}, ["html"])])
def test_a_folder_has_formats_of_its_own_or_those_of_the_digest(tmp_path, given, formats):
    row = {"channel": "file", "directory": str(tmp_path), **given}
    settings = FileDeliverSettings.model_validate(row, context={"folder": tmp_path})

    assert [form.format for form in settings.forms(_Forms(), str(tmp_path))] == formats
