"""`watcher check` beyond the settings file itself."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from watcher.cli.main import run_command_line

TOO_LARGE = "it is too large: use smaller numbers in braces, or fewer of them"
RULES = '[[digests]]\ntimezone = "Pacific/Auckland"\n'
SETTINGS = '[[sources]]\nurl = "https://news.example/feed"\n'


def test_faults_in_rules_for_sites_are_named_with_file_and_line(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "news.toml").write_text('hosts = ["news.example"]\nreason = "A box."\ndrp = [".a"]\n')

    assert run_command_line(["check", "--config", str(settings)]) == 2

    told = capsys.readouterr().err
    assert f"{tmp_path / 'sites' / 'news.toml'}:3:" in told
    assert 'did you mean "drop"' in told


def test_rules_for_sites_are_counted(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "news.toml").write_text('hosts = ["news.example"]\nreason = "A box."\ndrop = [".a"]\n')

    assert run_command_line(["check", "--config", str(settings)]) == 0

    assert "1 site rule" in capsys.readouterr().out


def test_a_missing_contact_is_told_beside_the_result(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    assert run_command_line(["check", "--config", str(settings)]) == 0
    assert "contact is not set" in capsys.readouterr().err

    settings.write_text(f'[fetch]\ncontact = "me@news.example"\n{SETTINGS}')
    assert run_command_line(["check", "--config", str(settings)]) == 0
    assert "contact" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing is polled: there are no sources; watcher sources add URL adds one"),
        (f"{SETTINGS}enabled = false\n", "nothing is polled: every source is paused"),
        (
            "".join(f'[[sources]]\nurl = "https://a.example/{n}"\nname = "A"\n' for n in (1, 2)),
            "2 sources are named A and count as one outlet: https://a.example/1, https://a.example/2",
        ),
        (
            f'{SETTINGS}country = "FR"\n' + "".join(f'[[sources]]\nurl = "https://{n}.example/"\n' for n in "abcd"),
            "4 of 5 sources have no country (a.example, b.example, c.example, …): set `country`",
        ),
        (
            f'{SETTINGS}[[digests]]\nname = "a"\n[[digests]]\nname = "b"\n',
            "out/b, because another digest writes into",
        ),
        (
            SETTINGS
            + '[[digests]]\nname = "a"\ndirectory = "x"\n[[digests]]\nname = "b"\n'
            + 'deliver = [{ channel = "file", directory = "x" }]\n',
            "a and b write into the same folder",
        ),
        (f'{SETTINGS}cookie = "env:NO_SUCH_COOKIE"\n', "not set in this shell: NO_SUCH_COOKIE;"),
        (f'[fetch]\ndeadline = "5s"\n{SETTINGS}', "[fetch] deadline (5s) is shorter than timeout (10s)"),
    ],
)
def test_what_is_allowed_and_perhaps_not_meant_is_told(text, words, tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text(text)

    assert run_command_line(["check", "--config", str(settings)]) == 0
    assert words in capsys.readouterr().err
    assert run_command_line(["check", "--json", "--config", str(settings)]) == 0
    assert any(words in warning for warning in json.loads(capsys.readouterr().out)["warnings"])


def test_an_endpoint_is_told_of_and_one_without_an_address_is_a_fault(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    endpoint = '[semantic.endpoint]\nurl = "https://api.example/v1"\nmodel = "m"\nkey = "env:KEY"\n'
    settings.write_text(f'[semantic]\nembedder = "endpoint"\n{endpoint}{SETTINGS}')
    assert run_command_line(["check", "--config", str(settings)]) == 0
    assert "title and first words of each article are sent to api.example" in capsys.readouterr().err

    settings.write_text(f"{endpoint}{SETTINGS}")
    assert run_command_line(["check", "--config", str(settings)]) == 0
    assert "api.example" not in capsys.readouterr().err

    settings.write_text(f'[semantic]\nembedder = "endpoint"\n{SETTINGS}')
    assert run_command_line(["check", "--config", str(settings)]) == 2
    assert 'settings.toml:2:12: semantic.embedder: got "endpoint" without a table' in capsys.readouterr().err


def test_a_key_in_the_settings_themselves_is_a_fault_that_does_not_repeat_it(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text('[semantic.endpoint]\nurl = "https://api.example/v1"\nmodel = "m"\nkey = "sk-12345"\n')

    assert run_command_line(["check", "--config", str(settings)]) == 2

    told = capsys.readouterr().err
    assert 'expected "env:NAME" or "file:PATH"' in told
    assert "12345" not in told


@pytest.mark.slow
def test_templates_of_the_digests_are_tried(tmp_path, capsys):
    settings, own = tmp_path / "settings.toml", tmp_path / "own"
    settings.write_text(f'{SETTINGS}[[digests]]\ntemplates = "own"\n')
    own.mkdir()
    (own / "page.css").write_text("p { color: red }")
    assert run_command_line(["check", "--config", str(settings)]) == 0
    assert "1 template" in capsys.readouterr().out

    (own / "page.html.j2").write_text("a\n{{ v.stroies }}")
    assert run_command_line(["check", "--config", str(settings)]) == 1
    assert f"{own / 'page.html.j2'}:2: " in capsys.readouterr().err
    assert run_command_line(["check", "--config", str(settings), "--json"]) == 1
    assert '"ok": false' in capsys.readouterr().out


def test_each_fault_of_a_mute_rule_is_named_with_its_place(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'{SETTINGS}name = "Alpha"\ntags = ["sport"]\n{RULES}'
        "[[digests.mute]]\nregex = '\\bfoo (bar'\n"
        '[[digests.mute]]\nunless = ["a"]\n'
        '[[digests.mute]]\nwords = ["a"]\nsources = ["Alpah"]\ntags = ["spotr"]\nin = "titel"\nuntil = "soon"\n'
        "[[digests.mute]]\nregex = '\\w{1,1000}'\nutnil = 2026-01-01\n"
        '[[digests]]\nname = "b"\nmute = [1, { words = ["b"] }]\n'
    )

    assert run_command_line(["check", "--config", str(settings)]) == 2

    named = [line.removeprefix(f"{settings}:") for line in capsys.readouterr().err.splitlines()]
    assert named == [
        '8:9: digests[1].mute[1].regex: got "\\bfoo (bar", expected a regular expression: unclosed group at column 7',
        "9:3: digests[1].mute[2]: got a rule that mutes nothing, expected words, regex, authors, sources or tags",
        '13:12: digests[1].mute[3].sources[1]: got "Alpah", expected the name of a source; did you mean "Alpha"?',
        '14:9: digests[1].mute[3].tags[1]: got "spotr", expected a tag of a source; did you mean "sport"?',
        '15:6: digests[1].mute[3].in: got "titel", expected one of "title", "text", "both"; did you mean "title"?',
        '16:9: digests[1].mute[3].until: got "soon", expected a date such as 2026-12-31',
        f'18:9: digests[1].mute[4].regex: got "\\w{{1,1000}}", expected a regular expression: {TOO_LARGE}',
        '19:1: digests[1].mute[4].utnil: unknown setting; did you mean "until"?',
        "22:9: digests[2].mute[1]: got 1, expected a table",
        "error: 9 problems in the settings",
    ]


def test_a_word_to_mute_that_is_the_name_of_a_source_is_noted_with_the_rule_for_sources(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    contact, digest = '[fetch]\ncontact = "me@news.example"\n', '[[digests]]\nname = "world"\n'
    source = '[[sources]]\nurl = "https://north.example/feed"\nname = "Northern Wire"\ncountry = "FR"\n'
    table = '[[digests.mute]]\nwords = ["Northern Wire"]\nsources = ["Northern Wire"]\n'

    settings.write_text(f'{contact}{source}{digest}mute = ["museum", "northern wire"]\n')
    assert run_command_line(["check", "--config", str(settings)]) == 0
    assert capsys.readouterr().err == (
        'world: the mute rule "northern wire" mutes titles with these words, not the source of that name; to mute the'
        ' source, use [[digests.mute]] with sources = ["Northern Wire"]\n'
    )
    settings.write_text(f"{contact}{source}{digest}{table}")
    assert run_command_line(["check", "--config", str(settings)]) == 0
    assert not capsys.readouterr().err


def test_a_mute_rule_that_has_ended_is_a_warning_from_the_next_day_on(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    today = datetime.now(ZoneInfo("Pacific/Auckland")).date()
    rules = "".join(
        f'[[digests.mute]]\nwords = ["word {n}"]\nuntil = {today + timedelta(days=n)}\n' for n in (-2, 2)
    )  # a test that runs at midnight there is right too
    settings.write_text(f'[fetch]\ncontact = "me@news.example"\n{SETTINGS}country = "FR"\n{RULES}{rules}')

    assert run_command_line(["check", "--config", str(settings)]) == 0

    ended = f'world: the mute rule "word -2" ended on {today - timedelta(days=2)} and has no effect'
    assert capsys.readouterr().err.splitlines() == [f"{ended}; remove it or change its `until`"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'{SETTINGS}cookie = "file:gone"\n', ":3:10: sources[1].cookie: the file of the secret file:gone does not"),
        ('[[digests]]\ntemplates = "gone"\n', ":2:13: digests[1].templates: the folder {}/gone does not exist"),
        ('[[digests]]\nat = "30 6 * * 1-5"\n', '2:6: digests[1].at: got the cron string "30 6 * * 1-5", expected at ='),
        ('[[digests]]\ndays = "30 6 * * *"\n', '2:8: digests[1].days: got the cron string "30 6 * * *", expected at ='),
        ("[[digests]]\ntitle = “News”\n", '2:9: title: got curly quotes, expected straight ones: "News"'),
        ('[[digests]]\ntitle = "News\nname = "b"\n', '2:14: title: the text "News has no closing quote'),
    ],
)
def test_a_newcomers_slips_are_named_with_their_place_and_what_to_write(text, told, tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text(text)

    assert run_command_line(["check", "--config", str(settings)]) == 2

    assert told.format(tmp_path) in capsys.readouterr().err


def test_a_secret_file_that_exists_is_no_problem(tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text(f'{SETTINGS}cookie = "file:there"\n')
    (tmp_path / "there").write_text("a=b")

    assert run_command_line(["check", "--config", str(settings)]) == 0
