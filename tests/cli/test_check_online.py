"""`watcher check --online`: sources are asked, the mail server is logged in to, and nothing is sent."""

from __future__ import annotations

import json

import pytest

from tests.cli.site import rss, serving
from tests.delivery.mail_server import MailServer
from watcher.cli.check import _format_results
from watcher.cli.main import run_command_line
from watcher.plugins import CheckResult

pytestmark = pytest.mark.slow  # starts a worker

HEAD = """[store]
url = "sqlite:///w.db"
[semantic]
embedder = "none"
[fetch]
contact = "you@example.org"
allow_private = ["127.0.0.0/8"]
host_delay = "0s"
"""
MAIL = """[smtp]
host = "127.0.0.1"
port = {port}
security = "plain"
timeout = "1s"
user = "user"
password = "file:password"
[[digests]]
mail = {{ from = "w@example.org", to = ["ann@example.net"] }}
deliver = [
  {{ channel = "smtp" }}, {{ channel = "file", directory = "out2" }},
  {{ channel = "webhook", url = "http://{web}/hook" }},
  {{ channel = "sendmail", program = ["/no/such/program"] }},
  {{ channel = "apprise", url = "file:apprise-url" }},
]
"""


@pytest.fixture
def site():
    with serving() as site:
        yield site


def ask(folder, more: str, capsys, *arguments: str) -> tuple[int, str]:
    (folder / "settings.toml").write_text(HEAD + more)
    code = run_command_line(["check", "--online", *arguments, "--config", str(folder / "settings.toml")])
    return code, capsys.readouterr().out


def source(site, path: str, name: str) -> str:
    return f'[[sources]]\nname = "{name}"\nurl = "{site.url(path)}"\n'


def test_each_source_is_asked_once_and_those_that_are_no_feed_are_named(site, tmp_path, capsys):
    site.feed("/good.xml", rss())
    site.page("/page.xml", "<html><body>news</body></html>")
    sources = [source(site, f"/{name}.xml", name.title()) for name in ("good", "page", "gone")]

    code, told = ask(tmp_path, "".join(sources), capsys)

    assert code == 3
    assert "3 sources checked: 1 OK, 2 failed" in told
    assert "  Page: an HTML page, not a feed" in told and "  Gone: 404" in told and "  Good:" not in told
    assert sorted(site.asked) == ["/gone.xml", "/good.xml", "/page.xml"]
    assert not (tmp_path / "w.db").exists()


def test_a_page_that_robots_txt_forbids_is_named_by_test_and_check(site, tmp_path, capsys):
    site.page("/robots.txt", "User-agent: *\nDisallow: /news")
    site.page("/news", "<article><a href=/1>Story 1</a></article>")
    row = source(site, "/news", "News") + 'items = "article"\n'

    code, told = ask(tmp_path, row, capsys)
    assert code == 3 and "  News: robots.txt forbids the page" in told
    assert "try: ask the publisher; with robots = false in [fetch], robots.txt is not read at all" in told
    settings = str(tmp_path / "settings.toml")
    assert run_command_line(["sources", "test", "News", "--config", settings]) == 1
    told = capsys.readouterr().out
    assert told.startswith("robots.txt forbids the page\n") and "\ntry: ask the publisher; with robots = false" in told
    assert set(site.asked) == {"/robots.txt"}
    (tmp_path / "settings.toml").write_text(HEAD + "robots = false\n" + row)
    assert run_command_line(["sources", "test", "News", "--config", settings]) == 0


def test_without_a_network_no_source_is_blamed(tmp_path, capsys):
    sources = [f'[[sources]]\nname = "{n}"\nurl = "http://127.0.0.1:{port}/f"\n' for n, port in (("A", 1), ("B", 2))]

    code, told = ask(tmp_path, "".join(sources), capsys)

    assert code == 3
    assert "internet connection: none of 2 hosts can be reached" in told
    assert "  A: " not in told and "  B: " not in told


def test_where_all_is_well_the_exit_code_is_0(site, tmp_path, capsys):
    site.feed("/good.xml", rss())

    assert ask(tmp_path, source(site, "/good.xml", "Good"), capsys)[0] == 0


def test_each_way_of_delivery_is_tried_and_nothing_is_sent(site, tmp_path, capsys):
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "apprise-url").write_text(f"json://{site.place}/secret\n")
    with MailServer(password="secret") as server:
        code, told = ask(tmp_path, MAIL.format(port=server.port, web=site.place), capsys, "--json")

        rows = {row["what"]: row for row in json.loads(told)["online"]}
        assert code == 3
        assert {what: row["ok"] for what, row in rows.items()} == {
            "mail server": True, "folder": True, "webhook": True, "mail program": False, "Apprise service": True,
        }  # fmt: skip
        assert rows["mail server"]["name"] == f"127.0.0.1:{server.port} as user"
        assert server.taken == [] and site.asked == []
        assert any(line.startswith("AUTH") for line in server.seen)
        assert not any(line.startswith("MAIL") for line in server.seen)
        assert "secret" not in told


def test_a_wrong_password_is_named(site, tmp_path, capsys):
    (tmp_path / "password").write_text("wrong\n")
    (tmp_path / "apprise-url").write_text("json://127.0.0.1:1/\n")
    with MailServer(password="secret") as server:
        code, told = ask(tmp_path, MAIL.format(port=server.port, web=site.place), capsys)

    assert code == 3
    assert "1 mail server checked: 0 OK, 1 failed" in told and "535" in told


@pytest.mark.parametrize(
    ("n", "told"), [(1, "1 web address checked: 1 OK, 0 failed"), (2, "2 web addresses checked: 2 OK, 0 failed")]
)
def test_what_is_asked_is_counted_in_words(n, told):
    assert list(_format_results([CheckResult(what="web address", name="a")] * n)) == [told]
