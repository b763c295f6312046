"""`watcher digest --send` and `--preview`, with a real mail server and the whole command line."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from digests.store.editions import find_row, is_settled, load_edition
from digests.store.keys import DAILY, EditionKey
from tests.delivery.mail_server import MailServer
from tests.kinds import on
from watcher.cli.main import run_command_line
from watcher.store.engine import open_store
from watcher.store.writer import read

pytestmark = pytest.mark.slow  # two seconds and more together: the quick set has a minute for all

FLOOD = "Flood strikes the valley of Orlen. A flood struck the valley of Orlen on Monday and 300 people left home."
SETTINGS = """
[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "none"
[smtp]
host = "127.0.0.1"
port = {port}
security = "plain"
timeout = "2s"
[[digests]]
name = "world"
formats = ["text"]
mail = {{ from = "World <world@example.org>", to = ["ann@example.net", "bob@example.net"] }}
deliver = [{{ channel = "smtp" }}, {{ channel = "file", directory = "copies" }}]
{more}
"""


@pytest.fixture
def server():
    with MailServer() as server:
        yield server


@pytest.fixture
def digest(tmp_path, engine, server, store_url):
    """Return a function that runs `watcher digest` on the store of `put`."""

    def call(*arguments: str, more: str = "", settings: str = SETTINGS) -> int:
        path = tmp_path / "settings.toml"
        path.write_text(on(store_url, settings.format(port=server.port, more=more)))
        return run_command_line(["digest", *arguments, "--config", str(path)])

    return call


def today() -> date:
    return datetime.now(UTC).date()


def news(put) -> None:
    put("Herald", FLOOD, datetime.now(UTC) - timedelta(hours=2))


def test_each_reader_gets_todays_edition_and_is_told_of(digest, put, server, tmp_path, capsys):
    news(put)

    assert digest("--send") == 0

    told = capsys.readouterr().out
    assert "smtp ann@example.net: sent at" in told
    assert [mail.recipient for mail in server.taken] == ["ann@example.net", "bob@example.net"]
    assert b"To: ann@example.net\r\n" in server.taken[0].body
    assert b"bob@example.net" not in server.taken[0].body
    assert [path.name for path in (tmp_path / "copies").iterdir()] == [f"{today()}.txt"]


def test_sending_again_sends_nothing_twice(digest, put, server, capsys):
    news(put)
    digest("--send")

    assert digest("--send", "--json") == 0

    assert len(server.taken) == 2
    rows = json.loads(capsys.readouterr().out.partition("[")[2].join(["[", ""]))[0]["deliveries"]
    assert {row["state"] for row in rows} == {"sent"}


def test_what_was_sent_is_the_edition_of_the_day_and_the_daemon_owes_none(digest, put, engine):
    news(put)
    digest()  # one on demand, in files alone

    digest("--send")

    assert read(engine, is_settled, EditionKey(digest="world", local_date=today()), now=datetime.now(UTC))
    row = read(engine, find_row, "world", today())
    assert row.slot == DAILY
    assert read(engine, load_edition, row).stories


def test_some_who_do_not_have_it_make_exit_code_3_and_are_tried_again(digest, put, server, capsys):
    news(put)
    server.refuses = {"bob@example.net": "550 5.1.1 no such user"}

    assert digest("--send") == 3
    assert "smtp bob@example.net: failed: 127.0.0.1:" in capsys.readouterr().out

    server.refuses = {}
    assert digest("--send") == 0
    assert [mail.recipient for mail in server.taken] == ["ann@example.net", "bob@example.net"]


def test_the_status_names_what_waits_and_what_failed(digest, put, server, capsys, tmp_path):
    news(put)
    server.at = {"EHLO": "450 4.3.0 later"}
    assert digest("--send") == 3
    capsys.readouterr()

    assert run_command_line(["status", "--config", str(tmp_path / "settings.toml")]) == 0

    told = capsys.readouterr().out
    assert f"delivery world, {today()}: smtp to ann@example.net, bob@example.net: waiting, next try at" in told
    assert "4.3.0 later" in told


def test_a_preview_tells_who_would_get_what_and_leaves_everything_as_it_is(digest, put, server, tmp_path, capsys):
    news(put)
    digest("--stdout")
    capsys.readouterr()
    before = state(tmp_path)

    assert digest("--preview") == 0

    told = capsys.readouterr().out
    assert "not made yet; this is a preview" in told
    assert "smtp ann@example.net: " in told
    assert f"file {tmp_path / 'copies'}: " in told
    assert "Flood strikes the valley of Orlen" in told
    assert state(tmp_path) == before
    assert server.connections == 0


def test_a_preview_of_what_was_sent_says_so(digest, put, capsys, tmp_path):
    news(put)
    digest("--send")
    before = state(tmp_path)
    capsys.readouterr()

    assert digest("--preview", "--json") == 0

    (told,) = json.loads(capsys.readouterr().out)
    assert told["is_made"]
    assert {row["state"] for row in told["messages"]} == {"sent"}
    assert state(tmp_path) == before


def test_a_preview_works_on_a_store_that_has_only_been_polled(server, tmp_path, capsys):
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS.format(port=server.port, more=""))
    open_store(f"sqlite:///{tmp_path}/watcher.db").dispose()  # without the tables of the digests

    assert run_command_line(["digest", "--preview", "--config", str(path)]) == 3

    assert "this is a preview" in capsys.readouterr().out


def test_a_preview_makes_no_store(server, tmp_path, capsys):
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS.format(port=server.port, more=""))

    assert run_command_line(["digest", "--preview", "--config", str(path)]) == 1

    assert "there is no store at" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["settings.toml"]


def state(folder: Path) -> dict[str, str]:
    """Return a hash of each file; the store's without what SQLite keeps for its readers."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".db-shm", ".toml")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_an_empty_day_is_kept_to_oneself_if_that_is_wished_for(digest, server, engine, capsys):
    assert digest("--send", more="send_empty = false") == 3

    assert "not sent: the edition has no story" in capsys.readouterr().out
    assert server.taken == []
    assert read(engine, find_row, "world", today()) is not None


def test_without_a_channel_its_files_are_the_delivery(digest, put, server, capsys):
    news(put)
    bare = SETTINGS.replace('deliver = [{{ channel = "smtp" }}, {{ channel = "file", directory = "copies" }}]', "")

    assert digest("--send", settings=bare) == 0

    assert "not sent: the digest has no [[digests.deliver]] in the settings" in capsys.readouterr().out
    assert server.connections == 0


@pytest.mark.parametrize("other", [["--preview"], ["--stdout"], ["--format", "text"]])
def test_sending_stands_alone(digest, other, capsys):
    assert digest("--send", *other) == 2
    assert "cannot be combined with --stdout, --format or each other" in capsys.readouterr().err


def test_an_edition_with_a_window_of_its_own_is_sent_as_one_of_its_own(digest, put, server):
    news(put)
    digest("--send")

    assert digest("--send", "--since", "6h") == 0

    ids = [line for mail in server.taken for line in mail.body.split(b"\r\n") if line.startswith(b"Message-ID")]
    assert len(ids) == 4
    assert len(set(ids)) == 2
