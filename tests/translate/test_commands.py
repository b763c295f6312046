"""`watcher translate`, and what `check` and `status` say of models."""

from __future__ import annotations

import json

import pytest

from digests.cli.status import _format_translation
from digests.model.ledger import TranslationFault, TranslationOutcome, Untranslated
from tests.translate.models import PACKAGE
from watcher.cli.main import run_command_line

SETTINGS = """
[fetch]
contact = "me@example.org"

[[sources]]
url = "https://news.example/feed"
language = "pt"

[[sources]]
url = "https://other.example/feed"
language = "ar"

[[digests]]
name = "world"
reads = ["en", "de"]

[translate]
engine = "firefox"
"""


@pytest.fixture
def watcher(tmp_path, capsys):
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = run_command_line([*arguments, "--config", str(path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.mark.slow
def test_a_model_is_installed_listed_and_tried_and_check_says_which_lack(watcher, tmp_path):
    before = watcher("check")
    installed = watcher("translate", "install", "pt-en", str(PACKAGE))
    listed, told = watcher("translate", "list"), watcher("translate", "list", "--json")
    tried = watcher("translate", "test", "pt-en", "Sismo faz 14 mortos no Chile", "--json")
    after = watcher("check")

    assert (
        "world: missing translation models: ar-en, pt-en (why: watcher translate list); install one with: watcher"
        in before[2]
    )
    assert installed == (0, f"pt-en: installed in {tmp_path / 'models' / 'pt-en'}, and tested\n", "")
    assert "pt-en  23.0 MB" in listed[1]
    assert "missing for world, which reads English and German:\n  ar-en  for sources in Arabic\n" in listed[1]
    assert json.loads(told[1])["lacking"] == {"world": ["ar-en"]}
    lost = watcher("translate", "test", "pt-en", "Ministro critica Bolsonaro e Peniche em Uruguaiana")
    row = json.loads(tried[1])
    assert "(an edition would not show it: a name is missing)" in lost[1]
    assert (tried[0], row["translation"], row["is_shown"]) == (0, "Sismo makes 14 dead in Chile", True)
    assert "world: missing translation models: ar-en (why: watcher translate list)" in after[2]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["install", "ar-en"], 2, "expected a folder, an archive or a URL; or set the url of [translate]"),
        (["install", "arabic", "x"], 2, 'got "arabic", expected two languages such as "pt-en"'),
        (["install", "ar-en", "nowhere"], 1, "there is no file or folder nowhere"),
        (["test", "ar-en", "x"], 1, "there is no model for ar-en"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(arguments, code, told, watcher):
    outcome = watcher("translate", *arguments)

    assert outcome[0] == code
    assert told in outcome[1] + outcome[2]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('engine = "libretranslate"', 'got "libretranslate" without the url of a server'),
        ('engine = "google"', '"firefox"'),
        ("what = []", "what"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, told, watcher, tmp_path):
    (tmp_path / "settings.toml").write_text(SETTINGS.replace('engine = "firefox"', settings))

    code, _, error = watcher("check")

    assert code == 2
    assert told in error


def test_check_says_where_texts_are_sent_to(watcher, tmp_path):
    server = 'engine = "libretranslate"\nurl = "http://192.0.2.1:5000"'
    (tmp_path / "settings.toml").write_text(SETTINGS.replace('engine = "firefox"', server))

    code, _, error = watcher("check")

    assert code == 0
    assert "headlines that you do not read are sent to 192.0.2.1 for translation" in error


def test_status_says_what_became_of_the_last_editions_translations():
    names = Untranslated(kind=TranslationFault.NAMES, count=1)
    outcome = TranslationOutcome(by="firefox", translated=3, dropped=1, untranslated=(names,), missing=("ar", "ru"))

    told = "3 texts translated, 1 without a translation: a name is missing (1)"
    assert _format_translation(outcome) == f"{told}; no model for ar, ru: watcher translate list"


def test_a_reader_of_english_needs_no_model_from_english_until_one_is_there(watcher, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(path.read_text().replace('reads = ["en", "de"]', 'language = "de"\nreads = ["de", "en"]'))

    before = watcher("translate", "list")[1], watcher("check")[2]
    (tmp_path / "models" / "en-de").mkdir(parents=True)
    for name in ("model.ende.intgemm.alphas.bin", "vocab.ende.spm"):
        (tmp_path / "models" / "en-de" / name).touch()
    after = watcher("translate", "list")[1]

    assert before[0].splitlines()[1:4] == [
        "missing for world, which reads German and English:",
        "  ar-en  for sources in Arabic",
        "  pt-en  for sources in Portuguese",
    ]
    assert "world: missing translation models: ar-en, pt-en (why" in before[1]
    assert "  ar-en  for sources in Arabic: to English, and with en-de to German" in after


def test_a_model_from_english_is_said_to_be_needed_by_the_languages_that_it_serves(watcher, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(path.read_text().replace('reads = ["en", "de"]', 'language = "de"'))

    told = watcher("translate", "list")[1]

    assert told.splitlines()[1:4] == [
        "missing for world, which reads German:",
        "  ar-en  for sources in Arabic: to English, and with en-de to German",
        "  en-de  for sources in Arabic and Portuguese: Arabic and Portuguese by way of English",
    ]
