"""The daemon as a service of systemd: its unit, and what installing it does; bench/systemd tries it on systemd."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from watcher.cli.main import run_command_line
from watcher.cli.service import (
    BOOTED,
    STATE,
    Service,
    _build_unit,
    _describe_alternative,
    _quote_exec_arg,
    _render_unit,
)
from watcher.errors import WatcherError
from watcher.settings.load import parse_settings
from watcher.settings.types import Secret

ROOT = Path(__file__).parents[2]


class Control:
    """Stands for systemctl: notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, *arguments: str) -> str:
        self.asked.append(" ".join(arguments))
        return "ActiveState=active\nSubState=running\nMainPID=7\n" if "show" in arguments else ""


def settings(folder: Path, more: str = ""):
    return parse_settings(more, folder / "settings.toml")


def test_the_unit_in_the_docs_is_the_one_that_is_written():
    program, path = ("/opt/watcher/bin/python3", "-m", "watcher"), Path("/etc/watcher/settings.toml")

    assert (ROOT / "docs" / "watcher.service").read_text() == _render_unit(program, path, system=True, credentials={})


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_to_say_of_the_unit_and_little_exposed(tmp_path):
    path = tmp_path / "watcher.service"
    path.write_text(
        _render_unit(
            (sys.executable, "-m", "watcher"),
            Path("/etc/a b/settings.toml"),
            system=True,
            credentials={"smtp": Path("/etc/a b/smtp")},
        )
    )

    found = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
    exposed = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", path], capture_output=True, text=True
    )

    assert (found.returncode, found.stderr) == (0, "")
    assert exposed.returncode == 0, exposed.stdout  # 1.5 of 10


def test_installing_writes_the_unit_and_starts_it_and_twice_changes_nothing(tmp_path):
    control = Control()
    service = Service(system=False, folder=tmp_path / "user", control=control)

    first = list(service.install(settings(tmp_path), start=True))
    second = list(service.install(settings(tmp_path), start=True))

    assert first[0] == f"wrote {service.path}" and second[0] == f"{service.path} is up to date"
    assert control.asked == [
        *("--user daemon-reload", "--user enable watcher.service", "--user restart watcher.service"),
        *("--user daemon-reload", "--user enable watcher.service", "--user start watcher.service"),
    ]
    assert f"--config {tmp_path / 'settings.toml'}\n" in service.path.read_text()
    assert service.read_state()["ActiveState"] == "active"


def test_uninstalling_stops_it_and_leaves_everything_else(tmp_path):
    control = Control()
    service = Service(system=True, folder=tmp_path, control=control)
    (tmp_path / "watcher.service").write_text("[Unit]\n")

    told = [*service.uninstall(), *service.uninstall()]

    assert control.asked == ["disable --now watcher.service", "daemon-reload"]
    assert not service.path.exists()
    assert told[1] == f"not installed: {service.path} does not exist"


def test_a_secret_in_a_variable_is_refused_since_a_service_has_none(tmp_path):
    with pytest.raises(WatcherError, match="the secret env:TOKEN would be empty"):
        _build_unit(settings(tmp_path, '[metrics]\ntoken = "env:TOKEN"\n'), system=False)


def test_what_a_service_of_the_system_cannot_see_or_write_is_refused(tmp_path):
    with pytest.raises(WatcherError, match=r"cannot read the (settings file|program)"):
        _build_unit(settings(Path("/home/ann")), system=True)
    if not any(Path(sys.executable).resolve().is_relative_to(folder) for folder in ("/root", "/home", "/tmp")):
        with pytest.raises(WatcherError, match=r"cannot write digests\.directory = /etc/watcher/out"):
            _build_unit(settings(Path("/etc/watcher")), system=True)


def test_a_secret_in_a_file_is_handed_over_as_a_credential(tmp_path, monkeypatch):
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "token").write_text("of the file\n")
    secret = Secret(kind="file", name="token", folder=tmp_path / "beside")
    assert secret.reveal() == "of the file"

    (tmp_path / "token").write_text("of systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert secret.reveal() == "of systemd"
    credentials = {"token": Path("/etc/watcher/token")}
    unit = _render_unit(("w",), Path("/s"), system=True, credentials=credentials)
    assert "\nLoadCredential=token:/etc/watcher/token\n" in unit
    assert Path("/var/lib/watcher") == STATE


@pytest.mark.parametrize(
    ("word", "written"),
    [("a", "a"), ("a b", '"a b"'), ("50%", "50%%"), ("$A", "$$A"), ('"', '"\\""'), ("\\", '"\\\\"')],
)
def test_words_of_a_command_are_quoted_as_systemd_reads_them(word, written):
    assert _quote_exec_arg(word) == written


@pytest.mark.skipif(BOOTED.is_dir(), reason="systemd is at work here")
def test_linux_without_systemd_is_shown_cron_and_nothing_of_macos(tmp_path, capsys):
    (tmp_path / "settings.toml").write_text("")

    code = run_command_line(["service", "install", "--config", str(tmp_path / "settings.toml")])

    told = capsys.readouterr().out
    assert code == 1
    assert f"{sys.executable} -m watcher run --once --config {tmp_path}/settings.toml" in told
    assert "plist" not in told
    assert "macOS" not in told


def test_macos_is_shown_a_launch_agent():
    told = _describe_alternative("launchd.txt", "/home/reader/settings.toml", "/home/reader/watcher.log")

    assert f"<string>{sys.executable}</string><string>-m</string><string>watcher</string>" in told
    assert "<string>/home/reader/settings.toml</string>" in told
    assert "cron" not in told
