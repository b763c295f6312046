"""`watcher init`, `check` and `sources`: the settings file is made, checked and edited."""

from __future__ import annotations

import json
import stat
from operator import itemgetter

import pytest

from watcher.cli.main import run_command_line
from watcher.settings.load import load_settings_file
from watcher.text.format import CONTROL_CHARACTERS

FILE = """\
# My settings.
[poll]
every = "1h"   # not too often

# --- Europe ---
[[sources]]
url = "https://one.example/feed"   # the first
name = "One"

# --- Asia ---
[[sources]]
url = "https://two.example/feed"
name = "Two"
section = "Asia"

# The digest.
[[digests]]
name = "world"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def sources(path, *arguments):
    return run_command_line(["sources", *arguments, "--config", str(path)])


def test_init_writes_a_file_that_check_finds_fine(tmp_path, capsys):
    assert run_command_line(["init", str(tmp_path)]) == 0
    assert run_command_line(["check", "--config", str(tmp_path / "settings.toml")]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == "43 sources, 1 digest: OK"


def test_init_overwrites_only_when_forced(file):
    assert run_command_line(["init", str(file)]) == 2
    assert file.read_text() == FILE

    assert run_command_line(["init", str(file), "--force"]) == 0
    assert file.read_text() != FILE


def test_check_gives_every_fault_as_json(file, capsys):
    file.write_text(FILE.replace('"1h"', '"1x"').replace("name", "nmae"))

    assert run_command_line(["check", "--json", "--config", str(file)]) == 2

    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert [(p["line"], p["column"], p["key"]) for p in report["problems"]] == [
        (3, 9, "poll.every"),
        (8, 1, "sources[1].nmae"),
        (13, 1, "sources[2].nmae"),
        (18, 1, "digests[1].nmae"),
    ]


def test_check_gives_counts_as_json(file, capsys):
    assert run_command_line(["check", "--json", "--config", str(file)]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "ok": True, "path": str(file), "problems": [], "sources": 2, "digests": 1,
        "warnings": [
            (
                "2 of 2 sources have no country (One, Two): set `country`; without it, no edition says where a story"
                " is not reported (articles that are stored already do not get it)"
            ),
            "[fetch] contact is not set: a publisher with a complaint cannot reach you and may simply block you"
        ],
    }  # fmt: skip


def test_a_source_is_added_after_the_last_and_every_comment_stays(file):
    given = ["--name", 'Thr"ee', "--country", "jp", "--tag", "a", "--every", "90m"]
    code = sources(file, "add", "https://three.example/feed", "--no-test", *given)

    added = """
[[sources]]
url = "https://three.example/feed"
name = "Thr\\"ee"
country = "JP"
tags = ["a"]
every = "1h30m"
"""
    assert code == 0
    assert file.read_text() == FILE.replace('section = "Asia"\n', f'section = "Asia"\n{added}')
    assert load_settings_file(file).sources[2].name == 'Thr"ee'


def test_a_source_is_added_to_a_file_that_has_none(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("# empty\n")

    assert sources(path, "add", "three.example/feed", "--no-test") == 0

    assert path.read_text() == '# empty\n\n[[sources]]\nurl = "https://three.example/feed"\n'


def test_a_source_that_is_there_is_not_added_again(file, capsys):
    assert sources(file, "add", "http://ONE.example/feed?utm_source=x") == 0

    assert capsys.readouterr().out == "already in the settings: One (https://one.example/feed)\n"
    assert file.read_text() == FILE


def test_a_list_in_a_line_is_not_added_to_but_the_row_for_it_is_shown(file, capsys):
    written = "# mine\nsources = [{ url = 'https://one.example/feed' }]\n"
    file.write_text(written)

    assert sources(file, "add", "https://three.example/feed", "--name", "Three", "--no-test") == 2

    err = capsys.readouterr().err
    assert f"error: {file}:2:1: the sources are one list" in err
    assert 'add this to the list: { url = "https://three.example/feed", name = "Three" }' in err
    assert file.read_text() == written


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["one"], "one: not the address of a site or feed"),
        (["https://three.example/feed", "--country", "Nowhere"], 'country: got "Nowhere"'),
        (["https://three.example/feed", "--every", "often"], 'every: got "often"'),
    ],
)
def test_a_source_with_a_fault_is_refused_and_the_file_stays(file, arguments, words, capsys):
    assert sources(file, "add", *arguments) == 2

    assert words in capsys.readouterr().err
    assert file.read_text() == FILE


@pytest.mark.parametrize("wanted", ["https://one.example/feed", "http://one.example/feed#x", "one"])
def test_a_source_is_removed_by_address_or_name_and_comments_stay(file, wanted):
    assert sources(file, "remove", wanted) == 0

    gone = '[[sources]]\nurl = "https://one.example/feed"   # the first\nname = "One"\n'
    assert file.read_text() == FILE.replace(gone, "")
    assert [row.name for row in load_settings_file(file).sources] == ["Two"]


def test_the_last_source_is_removed_without_the_comment_of_the_next_table(file):
    assert sources(file, "remove", "Two") == 0

    assert "# --- Asia ---\n\n# The digest.\n[[digests]]" in file.read_text()


def test_a_source_that_is_not_there_is_answered_with_the_one_meant(file, capsys):
    assert sources(file, "remove", "https://one.example/fed") == 2

    assert 'did you mean "https://one.example/feed"?' in capsys.readouterr().err


def test_a_name_that_several_sources_have_removes_none(file, capsys):
    file.write_text(FILE.replace('"Two"', '"One"'))

    assert sources(file, "remove", "One") == 2

    assert "https://two.example/feed" in capsys.readouterr().err


def test_nothing_is_edited_in_a_file_with_faults(file):
    file.write_text(FILE.replace('"1h"', "1h"))
    before = file.read_text()

    assert sources(file, "add", "https://three.example/feed") == 2
    assert sources(file, "remove", "One") == 2

    assert file.read_text() == before


def test_mode_links_and_line_ends_of_the_file_outlive_an_edit(file, tmp_path):
    file.write_bytes(FILE.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(file)

    assert sources(link, "remove", "Two") == 0

    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.read_bytes().count(b"\n") == file.read_bytes().count(b"\r\n") > 10
    assert {path.name for path in tmp_path.iterdir()} == {"settings.toml", "link.toml"}


OPML = """<?xml version="1.0"?>
<opml version="1.0"><head><title>Mine</title></head><body>
<outline text="Science"><outline type="rss" text="Three" xmlUrl="https://three.example/feed" language="en-us"/>
<outline type="rss" text="One" xmlUrl="https://one.example/feed"/></outline>
<outline type="rss" text="Odd" xmlUrl="ftp://odd.example/feed"/></body></opml>
"""

TO_CHANGE = "to change it, write in its [[sources]]: section ="


def test_opml_is_imported_once_and_each_feed_is_reported(file, tmp_path, capsys):
    opml = tmp_path / "feeds.opml"
    opml.write_text(OPML)

    assert sources(file, "import", str(opml)) == 3
    first, after = capsys.readouterr().out, file.read_text()
    assert sources(file, "import", str(opml)) == 3
    second = capsys.readouterr().out

    assert first.splitlines()[:2] == [
        "added: Three https://three.example/feed",
        f'already there: One https://one.example/feed: it keeps no section; {TO_CHANGE} "Science"',
    ]
    assert first.splitlines()[2].startswith("left out: Odd: ftp://odd.example/feed")
    assert second.splitlines()[-2] == "0 added, 2 already there, 1 left out"
    assert file.read_text() == after
    three = load_settings_file(file).sources[2]
    assert (three.section, three.language) == ("Science", "en-us")


def test_a_language_that_is_none_is_dropped_and_said(file, tmp_path, capsys):
    opml = tmp_path / "feeds.opml"
    opml.write_text(OPML.replace('"en-us"', '"English"'))

    assert sources(file, "import", str(opml), "--json") == 3

    line = json.loads(capsys.readouterr().out)[0]
    assert (line["outcome"], line["why"]) == ("added", 'language left out: "English" is not a language')
    assert load_settings_file(file).sources[2].language is None


NESTED = """<opml version="2.0"><body>
<outline text="World"><outline text="Asia"><outline text="East"><outline xmlUrl="https://e.example/f" text="E"/>
</outline><outline xmlUrl="https://a.example/f" text="A"/></outline><outline xmlUrl="https://w.example/f"/></outline>
<outline xmlUrl="https://n.example/f" language="klingon" text="N"/>
<outline text="World"><outline xmlUrl="https://v.example/f" text="V"/></outline></body></opml>
"""


def test_private_addresses_are_named_by_an_import_and_by_check_and_status_with_what_allows_them(file, tmp_path, capsys):
    opml = tmp_path / "feeds.opml"
    urls = ("http://10.0.0.7:8700/feed", "http://localhost/feed", "http://[fd00::7]/feed", "https://8.8.8.8/feed")
    outlines = "".join(f'<outline text="{n}" xmlUrl="{url}"/>' for n, url in enumerate(urls))
    opml.write_text(f'<opml version="1.0"><body>{outlines}</body></opml>')
    places = '"10.0.0.7:8700", "localhost:80", "[fd00::7]:80"'

    assert sources(file, "import", str(opml)) == 0
    assert (
        f"not polled: to allow what is yours, set [fetch] allow_private = [{places}], then: watcher poll --all"
        in capsys.readouterr().err
    )
    assert run_command_line(["check", "--config", str(file)]) == 0
    assert f"allow_private = [{places}]" in capsys.readouterr().err

    text = file.read_text()
    file.write_text(f"[fetch]\nallow_private = [{places}]\n{text}")
    assert run_command_line(["check", "--config", str(file)]) == 0
    assert "not polled" not in capsys.readouterr().err


def test_nested_folders_are_imported_once_and_exported_alike_ever_after(tmp_path, capsys):
    files = [tmp_path / f"{n}.toml" for n in range(2)]
    opmls = [tmp_path / f"{n}.opml" for n in range(3)]
    opmls[0].write_text(NESTED)
    for n, settings in enumerate(files):
        settings.write_text("")
        assert sources(settings, "import", str(opmls[n])) == 0
        written = settings.read_bytes()
        assert sources(settings, "import", str(opmls[n])) == 0
        assert settings.read_bytes() == written
        assert sources(settings, "export", str(opmls[n + 1])) == 0

    assert opmls[2].read_bytes() == opmls[1].read_bytes()
    assert {row.url[8]: row.section for row in load_settings_file(files[1]).sources} == {
        "e": "World / Asia / East", "a": "World / Asia", "w": "World", "n": None, "v": "World",
    }  # fmt: skip
    assert "0 added, 5 already there, 0 left out" in capsys.readouterr().out


def test_a_dry_run_of_the_import_writes_nothing_and_says_what_it_would_do(file, tmp_path, capsys):
    opml = tmp_path / "feeds.opml"
    opml.write_text(OPML)

    assert sources(file, "import", str(opml), "--dry-run") == 3

    assert file.read_text() == FILE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "would be added: Three https://three.example/feed"
    assert "1 would be added, 1 already there, 1 left out" in lines


def test_the_last_line_of_an_import_says_how_its_folders_become_headings(file, tmp_path, capsys):
    opml = tmp_path / "feeds.opml"
    opml.write_text(NESTED)

    assert sources(file, "import", str(opml)) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith('[[digests]] sections = ["World / Asia / East", "World / Asia", "World"]')

    assert sources(file, "import", str(opml)) == 0
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_a_source_that_is_there_already_keeps_its_section_and_the_import_says_how_to_change_it(file, tmp_path, capsys):
    file.write_text(f'{FILE}\n[[sources]]\nurl = "https://a.example/f"\nsection = "Arts"\n')
    opml = tmp_path / "feeds.opml"
    opml.write_text(
        '<opml version="2.0"><body>'
        '<outline text="World &quot;X&quot;"><outline xmlUrl="https://one.example/feed" text="One"/></outline>'
        '<outline text="Books"><outline xmlUrl="https://a.example/f" text="A"/></outline></body></opml>'
    )

    assert sources(file, "import", str(opml)) == 0

    assert capsys.readouterr().out.splitlines()[:-1] == [
        f'already there: One https://one.example/feed: it keeps no section; {TO_CHANGE} "World \\"X\\""',
        f'already there: a.example https://a.example/f: it keeps section "Arts"; {TO_CHANGE} "Books"',
        "0 added, 2 already there, 0 left out",
    ]


def test_an_import_says_that_its_file_is_not_well_formed(file, tmp_path, capsys):
    opml = tmp_path / "feeds.opml"
    opml.write_text(NESTED.replace('text="E"', 'text="E & "F""'))

    assert sources(file, "import", str(opml)) == 0

    captured = capsys.readouterr()
    assert 'added: E & "F" https://e.example/f' in captured.out
    assert "not well-formed XML in 2 places" in captured.err


def test_what_is_exported_is_imported_unchanged(tmp_path, capsys):
    there, back = tmp_path / "there.toml", tmp_path / "back.toml"
    there.write_text(
        "[[sources]]\nurl = 'https://a.example/f?x=1&y=\"2\"'\nname = 'A & <B> Zoë'\nsection = 'Arts & / Books'\n"
        "country = 'FR'\n"
        "tags = ['x', 'y z']\nevery = '90m'\nfull_text = true\nowner = 'O'\n"
        "user_agent = 'Mozilla/5.0 (X; \"Y\")'\nheaders = { Accept-Language = 'fr, en;q=0.5', X-A = 'b & c=d' }\n"
        "[[sources]]\nurl = 'https://b.example/f'\nlanguage = 'pt-BR'\nenabled = false\n"
    )
    back.write_text("")

    assert sources(there, "export", str(tmp_path / "out.opml")) == 0
    assert sources(back, "import", str(tmp_path / "out.opml")) == 0
    assert sources(back, "export", str(tmp_path / "back.opml")) == 0

    def rows(path):
        found = load_settings_file(path).sources
        return sorted(((row.url, row.source(), row.enabled, row.request_options()) for row in found), key=itemgetter(0))

    assert rows(back) == rows(there)
    assert (tmp_path / "back.opml").read_text() == (tmp_path / "out.opml").read_text()


def test_opml_has_no_cookie_no_secret_header_and_no_proxy_in_either_direction(file, tmp_path, capsys):
    there, out = tmp_path / "there.toml", tmp_path / "out.opml"
    there.write_text(
        "[[sources]]\nurl = 'https://a.example/f'\ncookie = 'file:marked'\nproxy = 'http://marked.example:3128'\n"
        "headers = { X-Api-Key = 'env:MARKED', X-Edition = 'fr' }\n"
    )
    assert sources(there, "export", str(out)) == 0
    written = out.read_text()
    assert "X-Edition=fr" in written and "marked" not in written.lower()

    out.write_text(
        written.replace("X-Edition=fr", "X-Edition=fr&amp;X=file%3A%2Fetc%2Fpasswd&amp;Y=env:HOME").replace(
            "<outline ", '<outline watcher:cookie="file:/etc/passwd" watcher:proxy="http://b.example" '
        )
    )
    assert sources(file, "import", str(out)) == 0

    assert "headers with secrets left out" in capsys.readouterr().out
    row = load_settings_file(file).sources[-1]
    assert (row.url, row.headers, row.cookie, row.proxy) == ("https://a.example/f", {"X-Edition": "fr"}, None, None)


@pytest.mark.parametrize(
    "typed", ["maildir:my box", "maildir:./my%20box/", "maildir:{}/my box", "maildir://{}/my%20box"]
)
def test_a_maildir_is_found_by_its_address_as_the_file_has_it_or_with_the_whole_path(tmp_path, typed, monkeypatch):
    path = tmp_path / "settings.toml"
    path.write_text('[[sources]]\nurl = "maildir:my box"\nname = "Letters"\n')
    monkeypatch.chdir("/")

    assert sources(path, "pause", typed.format(tmp_path)) == 0
    assert not load_settings_file(path).sources[0].enabled
    assert sources(path, "remove", typed.format(tmp_path)) == 0
    assert load_settings_file(path).sources == ()


def test_an_export_with_passwords_is_for_its_owner_only(file, tmp_path, capsys):
    file.write_text(FILE.replace("https://one.example", "https://me:hidden@one.example"))
    out = tmp_path / "out.opml"

    assert sources(file, "export", str(out)) == 0
    assert stat.S_IMODE(out.stat().st_mode) != 0o600
    assert sources(file, "export", "--with-passwords", str(out)) == 0

    assert "hidden" in out.read_text() and stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sources(file, "export", "--with-passwords", str(tmp_path / "new.opml")) == 0
    assert stat.S_IMODE((tmp_path / "new.opml").stat().st_mode) == 0o600


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_an_opml_entry_whose_selectors_do_not_fit_together_is_left_out_alone(file, tmp_path, capsys, options):
    rows = {"a": 'watcher:selectors="link=a"', "b": 'watcher:selectors="items=li" watcher:full-text="true"', "c": ""}
    outlines = "".join(f'<outline type="rss" xmlUrl="https://{n}.example/" {more}/>' for n, more in rows.items())
    (tmp_path / "in.opml").write_text(f'<opml version="2.0"><body>{outlines}</body></opml>')

    assert sources(file, "import", str(tmp_path / "in.opml"), *options) == 3

    added = "would be added" if options else "added"
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "left out: https://a.example/: link: expected items too, the selector of one item",
        "left out: https://b.example/: full_text: not possible with items",
        f"{added}: c.example https://c.example/",
        f"1 {added}, 0 already there, 2 left out",
    ]
    assert ("c.example" in file.read_text()) is not bool(options)


def test_opml_carries_the_selectors_of_a_page_and_no_other_setting_with_them(file, tmp_path, capsys):
    there, out = tmp_path / "there.toml", tmp_path / "out.opml"
    there.write_text("[[sources]]\nurl = 'https://a.example/n'\nitems = 'li > a[href]'\ntitle = 'h2'\n")
    assert sources(there, "export", str(out)) == 0
    assert 'watcher:selectors="items=li+%3E+a%5Bhref%5D&amp;title=h2"' in out.read_text()

    out.write_text(out.read_text().replace("title=h2", "title=h2&amp;cookie=file%3A%2Fetc%2Fpasswd&amp;full_text=true"))
    assert sources(file, "import", str(out)) == 0
    row = load_settings_file(file).sources[-1]
    assert (row.items, row.link, row.title, row.cookie, row.full_text) == ("li > a[href]", None, "h2", None, False)

    out.write_text(out.read_text().replace("a.example", "b.example").replace("title=h2", "title=h2%5B"))
    assert sources(file, "import", str(out)) == 3
    assert 'left out: b.example https://b.example/n: title: "h2[" cannot be read' in capsys.readouterr().out


def test_what_is_no_opml_fails_in_words(file, tmp_path, capsys):
    bad = tmp_path / "page.html"
    bad.write_text("<html><body>No feeds here</body></html>")

    assert sources(file, "import", str(bad)) == 1
    assert sources(file, "import", str(tmp_path / "gone.opml")) == 2

    err = capsys.readouterr().err
    assert "is not OPML" in err
    assert "cannot be read" in err


def test_names_from_elsewhere_neither_steer_the_terminal_nor_turn_a_line(file, tmp_path, capsys):
    hostile = "Evil\x9b31m\x90 \u202eeman\u202c \u2066x"
    opml = tmp_path / "feeds.opml"
    outline = f'<outline type="rss" text="{hostile}" xmlUrl="https://evil.example/{{}}"/>'
    body = "".join(outline.format(path) for path in ("feed", "\u202efeed", "feed\x9b"))
    opml.write_text(f'<opml version="2.0"><body>{body}</body></opml>', encoding="utf-8")

    shown = ""
    for arguments in (
        ["import", str(opml), "--dry-run"], ["import", str(opml)], ["import", str(opml), "--json"], ["list"],
        ["list", "--json"], ["export"], ["pause", "https://evil.example/feed"], ["remove", "https://evil.example/feed"],
    ):  # fmt: skip
        sources(file, *arguments)
        captured = capsys.readouterr()
        shown += captured.out + captured.err

    assert "Evil" in shown and "evil.example" in shown
    assert not CONTROL_CHARACTERS.search(shown) and not CONTROL_CHARACTERS.search(file.read_text(encoding="utf-8"))
