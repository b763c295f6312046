"""The channel `apprise`: what real plug-ins of Apprise send to a server on loopback, and what their failures mean."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from urllib.parse import parse_qs

import pytest

from digests.delivery.apprise import AppriseChannel
from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage, Rendered
from tests.delivery.hook import listening
from tests.kinds import WORLD, on, on_sqlite
from tests.patience import PATIENCE_S
from watcher.cli.main import run_command_line

pytestmark = [
    pytest.mark.slow,  # starts a process for each message
    pytest.mark.skipif(find_spec("apprise") is None, reason="Apprise is not installed: pip install '.[apprise]'"),
]
FLOOD = "Flood strikes the valley of Orlen. A flood struck the valley of Orlen on Monday and 300 people left home."
SETTINGS = f"""{WORLD}
title = "World Digest"
formats = ["text"]
deliver = [{{ channel = "apprise", url = "file:apprise-url" }}]
"""
LINES = tuple(f"{n}. The mayor of town {n} opens a bridge" for n in range(2_000))


@pytest.fixture
def hook():
    with listening() as hook:
        yield hook


def message(**forms: list[str]) -> OutboundMessage:
    body = json.dumps({"title": "World Digest", "text": ["World Digest", "1. A bridge"]} | forms).encode()
    form = Rendered(format="apprise", name="2025-03-14.json", body=body)
    return OutboundMessage(channel="apprise", recipient="env:URL", forms=(form,))


def send(url: str, **forms: list[str]) -> str:
    return AppriseChannel(url, name="env:URL").send(message(**forms), before_commit=lambda: None)


def failure(url: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(url)
    assert url not in str(caught.value) and "secret" not in str(caught.value)
    return caught.value


@on_sqlite
def test_an_edition_is_sent_once_and_its_url_is_shown_nowhere(hook, put, engine, store_url, tmp_path, capfd):
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS))
    (tmp_path / "apprise-url").write_text(f"json://127.0.0.1:{hook.port}/secret-topic?format=text\n")
    put("Herald", FLOOD, datetime.now(UTC) - timedelta(hours=2))

    assert run_command_line(["digest", "--send", "--yes", "--config", str(path)]) == 0
    assert run_command_line(["digest", "--send", "--yes", "--config", str(path)]) == 0

    (post,) = hook.posts
    told = json.loads(post.body)
    assert told["title"].startswith("World Digest")
    assert told["message"].startswith("1. Flood strikes the valley of Orlen\nhttps://herald.example/")
    shown = "".join(capfd.readouterr())
    assert "apprise file:apprise-url: sent at" in shown
    assert "secret-topic" not in shown


def test_a_service_gets_the_richest_format_it_takes_with_as_many_lines_as_fit(hook):
    place = f"127.0.0.1:{hook.port}"
    html = ["<b>World Digest</b>", *(f"<i>{line}</i>" for line in LINES)]
    forms = {"text": ["World Digest", *LINES], "html": html, "markdown": ["**World Digest**", *LINES]}
    mattermost = f"mmost://{place}/3ccdd113474722377935511fc85d3dd4"
    for url in (f"form://{place}/", f"json://{place}/?format=markdown", mattermost):
        send(url, **forms)

    form, markdown, mattermost = (post.body.decode() for post in hook.posts)
    assert parse_qs(form)["message"][0].startswith("<i>0. The mayor of town 0 opens a bridge</i><br/>\n<i>1.")
    assert json.loads(markdown)["message"].startswith("0. The mayor")
    assert json.loads(markdown)["title"] == "World Digest"
    text = json.loads(mattermost)["text"]
    assert text.startswith("World Digest\n0. The mayor of town 0 opens a bridge\n1.")
    assert 3_900 < len(text) <= 4_000
    assert text.endswith("opens a bridge") and json.loads(markdown)["message"].endswith("opens a bridge")


@pytest.mark.parametrize(
    ("status", "permanent", "wait_s"),
    [(302, True, None), (503, False, 1_800)],
)
def test_a_failure_is_what_the_server_answered_and_no_option_of_the_url_hides_it(hook, status, permanent, wait_s):
    hook.answer = (status, {"Retry-After": "1800", "Location": hook.url("/elsewhere")}, b"secret")

    error = failure(f"json://127.0.0.1:{hook.port}/secret?optional=yes&retry=3&redirect=yes")

    assert f"answered {status}" in str(error)
    assert (error.permanent, error.maybe_arrived, error.retry_after_s) == (permanent, False, wait_s)
    assert len(hook.posts) == 1


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("file:///etc/passwd", "is not a URL that Apprise can use"),
        ("json://127.0.0.1:9/a, json://127.0.0.1:9/b", "has several URLs; expected one, and a delivery for each"),
        ("json://[/secret", "is not a URL that Apprise can use"),
        ("tgram://123456789:abcdefg_secret/1/2/3", "names 3 recipients; expected one, and a delivery for each"),
    ],
)
def test_a_url_that_cannot_be_used_fails_at_once(url, told):
    error = failure(url)

    assert told in str(error)
    assert (error.permanent, error.maybe_arrived) == (True, False)


def test_no_file_that_a_url_names_is_read(tmp_path):
    discord = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
    template = tmp_path / "secret.json"
    template.write_text('{"content": "{{ app_body }}"}')

    assert AppriseChannel(discord, name="env:URL").find_server() == "https://discord.com"
    with pytest.raises(DeliveryError, match="is not a URL that Apprise can use"):
        AppriseChannel(f"{discord}?template={template}", name="env:URL").find_server()


def test_a_check_names_the_server_and_sends_nothing(hook):
    assert AppriseChannel(f"json://127.0.0.1:{hook.port}/x", name="env:URL").find_server() == hook.url("")
    assert AppriseChannel("syslog://", name="env:URL").find_server() is None
    assert hook.posts == []


def test_a_service_that_never_answers_ends_with_its_process_at_the_deadline(hook):
    hook.hangs = True
    program = "from digests.delivery import apprise_process as p; p.PROCESS_DEADLINE_S = 10; p.main([])"
    order = json.dumps({"url": f"json://127.0.0.1:{hook.port}/", "message": {"title": "", "text": ["a"]}})

    ended = subprocess.run(
        [sys.executable, "-c", program], input=order, text=True, capture_output=True, timeout=PATIENCE_S
    )

    assert (ended.returncode, ended.stdout, len(hook.posts)) == (-signal.SIGALRM, "", 1)


def test_a_check_without_the_extra_names_the_command_that_installs_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "apprise", None)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    (tmp_path / "apprise-url").write_text("json://127.0.0.1/")

    assert run_command_line(["check", "--config", str(tmp_path / "settings.toml")]) == 1

    told = capsys.readouterr().err
    assert "Apprise is not installed" in told and "-m pip install" in told and "[apprise]" in told
