"""Where each setting comes from, and the schema for editors."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import fastjsonschema
import pytest

from watcher.cli.main import run_command_line
from watcher.cli.settings import _settings_with_origin, _starter_settings, json_schema
from watcher.settings.load import parse_settings
from watcher.settings.toml_syntax import Positions

ROOT = Path(__file__).parents[2]
TEXT = """[store]
url = "postgresql://ann:hunter2@db.example/news"

[fetch]
max_bytes = "2 MiB"

[smtp]
host = "mail.example.org"
user = "ann"
password = "file:smtp-password"

[[digests]]
name = "world"
mail = { from = "w@example.org" }

[[digests.deliver]]
channel = "webhook"
url = "https://hooks.example.org/T0P/S3CRET"

[[sources]]
url = "https://a.example/feed"
"""


@pytest.fixture
def found(tmp_path):
    path = tmp_path / "settings.toml"
    values = _settings_with_origin(parse_settings(TEXT, path), Positions(TEXT))
    return {(v.table, v.name): (v.value, v.line) for v in values}


def test_each_setting_has_its_value_and_its_line_or_none_for_a_default(found):
    assert found["[fetch]", "max_bytes"] == ('"2 MiB"', 5)
    assert found["[fetch]", "timeout"] == ('"10s"', None)
    assert found["[[digests]] 1", "name"] == ('"world"', 13)
    assert found["[digests.mail] 1", "from"] == ('"w@example.org"', 14)
    assert found["[[sources]] 1", "url"] == ('"https://a.example/feed"', 21)
    assert found["[[sources]] 1", "enabled"] == ("true", None)


def test_secrets_are_hidden_and_their_places_are_not(found):
    everything = json.dumps(list(found.values()))

    assert found["[smtp]", "password"] == ('"file:smtp-password"', 10)
    assert found["[store]", "url"] == ('"postgresql://ann@db.example/news"', 2)
    assert found["[[digests.deliver]] 1.1", "url"] == ('"…"', 18)
    assert "hunter2" not in everything and "S3CRET" not in everything


def test_what_is_shown_of_the_starter_is_toml_that_says_the_same(tmp_path, capsys):
    (tmp_path / "settings.toml").write_text(_starter_settings())
    assert run_command_line(["settings", "show", "--config", str(tmp_path / "settings.toml")]) == 0
    lines = capsys.readouterr().out.splitlines()

    again = "\n".join(re.sub(r"^(\[.*\]) [\d.]+$", r"\1", line) for line in lines if " = none " not in line)
    both = [parse_settings(text, tmp_path / "settings.toml") for text in (_starter_settings(), again)]

    assert both[0].model_dump() == both[1].model_dump()


def test_changed_shows_the_file_alone(tmp_path, capsys):
    (tmp_path / "settings.toml").write_text(TEXT)

    assert (
        run_command_line(["settings", "show", "--changed", "--json", "--config", str(tmp_path / "settings.toml")]) == 0
    )

    rows = json.loads(capsys.readouterr().out)["settings"]
    assert all(row["line"] for row in rows)
    assert len(rows) == 10


def test_the_schema_in_the_docs_is_the_one_of_the_models():
    assert json.loads((ROOT / "docs" / "reference" / "settings.schema.json").read_text()) == json_schema()


def test_the_schema_takes_what_is_right():
    check = fastjsonschema.compile(json_schema())

    check(tomllib.loads(_starter_settings()))
    check(tomllib.loads(TEXT))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "[poll]\nevry = '1h'",
        "[poll]\nevery = 5",
        "[poll]\nconcurrency = 0",
        "[smtp]\npassword = 'hunter2'",
        "[[sources]]\nname = 'A'",
        "[[digests]]\nformats = ['pdf']",
        "[[digests]]\nstories = '12'",
        "[[digests]]\nstories = true",
        "[log]\nlevel = 'loud'",
        "[fetch]\narticles = 'yes'",
        "colour = 1",
    ],
)
def test_the_schema_refuses_what_is_wrong(text):
    with pytest.raises(fastjsonschema.JsonSchemaException):
        fastjsonschema.compile(json_schema())(tomllib.loads(text))
