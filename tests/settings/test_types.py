"""Durations, sizes, codes and secrets."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from watcher.errors import SettingsError, WatcherError
from watcher.settings import types
from watcher.settings.load import parse_settings
from watcher.settings.types import (
    Secret,
    Size,
    _check_private,
    _check_timezone,
    _parse_keep,
    format_duration_setting,
    format_size,
    parse_duration,
    parse_secret,
)

parse_size = TypeAdapter(Size).validate_python


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=3_660 * 86_400))
def test_a_duration_is_read_as_it_was_written(seconds):
    assert parse_duration(format_duration_setting(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=10**12))
def test_a_size_is_read_as_it_was_written(count):
    assert parse_size(format_size(count)) == count


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.one_of(st.text(max_size=30), st.from_regex(r"[0-9.smhdw ]{1,40}", fullmatch=True), st.integers(), st.floats())
)
def test_any_other_value_is_refused_in_words_or_read_as_a_length_of_time(value):
    try:
        assert parse_duration(value) >= timedelta(0)
    except ValueError as error:
        assert "got" in str(error)
    with suppress(ValidationError):
        assert parse_size(value) > 0


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h30m", 5400), ("24h", 86400), ("2d", 172800), ("1.5h", 5400)]
)
def test_durations_of_the_contract(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "m", "15", "15 minutes", "30m1h", "1h1h", "-5m", "1e3s", "٣m", "99999999w"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "count"), [("10 MiB", 10485760), ("500 kB", 500_000), ("2GB", 2 * 10**9), (7, 7)])
def test_sizes_of_the_contract(text, count):
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["127.0.0.0/8", "::1/128", "10.1.2.3", "localhost:8000", "[::1]:8400"])
def test_a_private_address_is_a_range_or_host_and_port(text):
    assert _check_private(text)


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.1/8", "host:0", "host:70000", "a b:80", "10.0.0.0/33"])
def test_what_is_no_private_address_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        _check_private(text)


@pytest.mark.parametrize("text", ["", ".", "/etc/passwd", "../UTC", "Europe/", "\x00", "Europe/Berlin\n", "a" * 3000])
def test_what_is_no_time_zone_is_refused(text):
    with pytest.raises(ValueError, match="IANA"):
        _check_timezone(text)


def test_codes_are_read_as_people_write_them():
    assert [types.country_code(text) for text in ("FR", "fr", "UK", "ind", "EL", "XX", "Frankreich", "")] == [
        "FR", "FR", "GB", "IN", "GR", None, None, None,
    ]  # fmt: skip
    assert [types.language_tag(text) for text in ("fr", "EN", "pt_BR", "zh-Hant-TW", "ckb", "jp", "french", "")] == [
        "fr", "en", "pt-BR", "zh-Hant-TW", "ckb", None, None, None,
    ]  # fmt: skip


def test_every_code_is_that_of_the_unicode_tables():
    from babel import Locale

    english = Locale("en")

    assert set(english.territories) >= types.countries()
    assert set(english.languages) >= types.languages()
    assert len(types.countries()) == len(types.alpha3_codes()) == 250


def test_a_secret_is_read_when_it_is_used_and_never_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHER_TEST_SECRET", "from the variable")
    (tmp_path / "password").write_text("from the file\n")

    variable = Secret(kind="env", name="WATCHER_TEST_SECRET")
    file = Secret(kind="file", name="password", folder=tmp_path)

    assert variable.reveal() == "from the variable"
    assert file.reveal() == "from the file"
    assert "from the" not in repr((variable, file)) + str(variable) + str(file)


def test_a_secret_that_is_not_there_is_named_with_what_mends_it(tmp_path, monkeypatch):
    monkeypatch.delenv("WATCHER_TEST_SECRET", raising=False)

    with pytest.raises(WatcherError, match="env:WATCHER_TEST_SECRET") as caught:
        Secret(kind="env", name="WATCHER_TEST_SECRET").reveal()
    with pytest.raises(WatcherError, match="No such file"):
        Secret(kind="file", name="gone", folder=tmp_path).reveal()

    assert caught.value.hint == "set the variable WATCHER_TEST_SECRET"


def test_a_secret_that_stands_in_the_file_is_refused_unseen():
    with pytest.raises(ValueError, match="env:NAME") as caught:
        parse_secret("hunter2", None)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("value", "kept"), [("400d", timedelta(days=400)), ("Forever", None), (None, None)])
def test_what_is_kept_is_kept_for_a_time_or_forever(value, kept):
    assert _parse_keep(value) == kept


@pytest.mark.parametrize(
    ("value", "words"),
    [("30d", "at least 35d: editions look back"), ("always", 'or "forever"'), (400, "without a unit")],
)
def test_what_is_kept_too_short_for_editions_is_refused(value, words):
    with pytest.raises(ValueError, match=words):
        _parse_keep(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0", "got 0, expected more than 0"),
        ("true", 'got "true", expected a size such as "10 MiB" or "500 kB"'),
        ('"lots"', 'got "lots", expected a size such as "10 MiB" or "500 kB"'),
        ('"10 XB"', 'got "10 XB", expected a size such as "10 MiB" or "500 kB"'),
        ("-5", 'got -5, expected a size such as "10 MiB" or "500 kB"'),
    ],
)
def test_what_is_no_size_is_refused_with_its_place(value, words, tmp_path):
    with pytest.raises(SettingsError) as caught:
        parse_settings(f"[store]\nmax_size = {value}\n", tmp_path / "settings.toml")

    assert str(caught.value).endswith(f"settings.toml:2:12: store.max_size: {words}")


MAIL = '[[sources]]\nurl = "{}"\n'


def test_the_address_of_a_mail_folder_is_read_from_the_folder_of_the_settings(tmp_path):
    text = MAIL.format("maildir:my news?from=@example.org") + MAIL.format("maildir:///var/mail/news%20two")
    text += MAIL.format("imaps://me@example.org@mail.example.org:993/INBOX.News?from=a+b@c.example&from=@d.example")
    text += 'password = "file:pw"\n'

    rows = parse_settings(text, tmp_path / "settings.toml").sources

    assert rows[0].url == f"maildir://{tmp_path}/my%20news?from=@example.org"
    assert rows[1].url == "maildir:///var/mail/news%20two"
    assert [row.source().name for row in rows] == ["example.org", "news two", "c.example"]
    options = rows[2].request_options()
    assert options is not None and str(options.password) == "file:pw"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            MAIL.format("imaps://me@host/INBOX?form=a@b.c"),
            'got "imaps://***@host/INBOX?form=a@b.c", expected "maildir:',
        ),
        (MAIL.format("imaps://me:hidden@host/"), 'got "imaps://***@host/", expected "maildir:'),
        (
            MAIL.format("https://a.example/f") + 'proxy = "http://u:hidden@127.0.0.1:3128"\n',
            'got "http://***@127.0.0.1:3128", expected the address of an HTTP proxy without a password',
        ),
    ],
)
def test_an_address_in_a_message_shows_where_a_name_or_password_was(tmp_path, row, words):
    with pytest.raises(SettingsError) as caught:
        parse_settings(row, tmp_path / "settings.toml")

    assert words in str(caught.value) and "hidden" not in str(caught.value)


def test_one_maildir_is_not_two_sources(tmp_path):
    with pytest.raises(SettingsError, match=r'got "maildir:./md/", the same feed as in entry 1; expected each once'):
        parse_settings(MAIL.format("maildir:md") + MAIL.format("maildir:./md/"), tmp_path / "settings.toml")
    rows = MAIL.format("maildir:md?from=@a.example") + MAIL.format("maildir:md?from=@b.example")
    assert len(parse_settings(rows, tmp_path / "settings.toml").sources) == 2


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (MAIL.format("imaps://me@mail.example.org/INBOX"), 'needs password = "file:PATH"'),
        (
            MAIL.format("https://a.example/feed") + 'password = "env:X"\n',
            "only a folder on an IMAP server has a password",
        ),
        (
            MAIL.format("imaps://me:hidden-secret@mail.example.org/INBOX"),
            'imaps://USER@HOST/FOLDER" without a password',
        ),
        (MAIL.format("imaps://mail.example.org/INBOX"), "imaps://USER@HOST/FOLDER"),
        (MAIL.format("imaps://me@mail.example.org:99999/INBOX"), "imaps://USER@HOST/FOLDER"),
        (MAIL.format("imaps://me@mail.example.org/"), "imaps://USER@HOST/FOLDER"),
        (MAIL.format("imaps://me@mail.example.org/IN%0D%0ABOX"), "imaps://USER@HOST/FOLDER"),
        (MAIL.format("maildir:news?to=@x.example"), "?from=@example.org"),
    ],
)
def test_a_wrong_address_of_a_mail_folder_is_named_with_what_is_expected(tmp_path, row, words):
    with pytest.raises(SettingsError) as caught:
        parse_settings(row, tmp_path / "settings.toml")

    assert any(words in str(problem) for problem in caught.value.problems)
    assert "hidden-secret" not in str(caught.value)
