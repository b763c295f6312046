"""The starter file, and the page about the settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bench.make_docs import settings_page
from digests.settings.digests import digests_of
from watcher.cli.settings import _starter_settings
from watcher.settings.load import _inner_model, load_settings_file, parse_settings, settings_model

ROOT = Path(__file__).parents[2]
CONTINENTS = {
    "Africa": "DZ EG MA NG KE TZ ZA CD GH ET RW UG SN",
    "Asia": "IN PK BD CN HK TW JP KR SG MY TH VN ID PH IR IL QA SA AE",
    "Europe": "GB FR DE IT ES PT NL SE PL CZ HU GR UA RU AT CH",
    "North America": "US CA MX CR CU",
    "South America": "BR AR CL CO PE",
    "Oceania": "AU NZ FJ",
}


def test_the_repository_holds_the_packaged_starter():
    assert (ROOT / "settings.toml").read_text(encoding="utf-8") == _starter_settings()


def test_the_starter_is_a_good_start_for_international_news():
    settings = load_settings_file(ROOT / "settings.toml")

    sources = settings.active_sources()

    assert 35 <= len(sources) <= 50
    assert len({source.language for source in sources}) >= 12
    countries = {source.country for source in sources}
    assert [name for name, codes in CONTINENTS.items() if not countries & set(codes.split())] == []


def names(model):
    for name, field in model.model_fields.items():
        yield field.alias or name
        if part := _inner_model(field.annotation):
            yield from names(part)


def test_every_setting_occurs_in_the_starter_file():
    words = set(re.findall(r"[a-z_]+", _starter_settings()))

    assert [name for name in names(settings_model()) if name not in words] == []


def test_every_setting_has_a_line_of_help_and_a_comment_of_its_own():
    lines = _starter_settings().split("\n")
    set_here = [n for n, line in enumerate(lines) if re.match(r"(# )?[a-z_]+ = ", line)]
    before_sources = [n for n in set_here if n < lines.index("[[sources]]") and "  # " not in lines[n]]

    assert [lines[n] for n in before_sources if not lines[n - 1].startswith("#")] == []


def test_the_starter_loads_with_every_comment_taken_away():
    uncommented = re.sub(r"(?m)^# ([a-z_]+ = .*|  \{ .*|\])$", r"\1", _starter_settings().partition("# Sources:")[0])
    rows = _starter_settings()[_starter_settings().index("[[sources]]") :]
    extra = re.findall(r"(?m)^# ([a-z_]+ = .*  # .*)$", _starter_settings())

    settings = parse_settings(
        f"{uncommented}\n[[sources]]\nurl = 'http://a.org/f'\n{chr(10).join(extra)}\n{rows}", Path("s.toml")
    )

    assert settings.sources[0].owner == "Example Group"
    assert [way.channel for way in digests_of(settings)[0].deliver][:2] == ["smtp", "sendmail"]
    assert len(extra) == 15


def test_what_the_starter_calls_a_default_is_the_default():
    shown = tomllib.loads(re.sub(r"(?m)^# ([a-z_]+ = .*)$", r"\1", _starter_settings().partition("[[digests]]")[0]))
    examples = {"url", "contact", "allow_private", "endpoint", "max_size"}
    bare = parse_settings("", Path("s.toml"))
    table = {name: {k: v for k, v in part.items() if k not in examples} for name, part in shown.items()}

    said = settings_model().model_validate(table)

    assert (said.poll, said.fetch, said.semantic) == (bare.poll, bare.fetch, bare.semantic)
    assert (said.store.keep_articles, said.store.keep_editions) == (bare.store.keep_articles, None)
    assert {len(part) for part in shown.values()} == {1, 2, 3, 4, 5, 8}


def test_the_page_about_the_settings_is_made_from_the_models():
    assert (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8") == settings_page()


@pytest.fixture(scope="module")
def page():
    return settings_page()


@pytest.mark.parametrize("name", sorted(set(names(settings_model()))))
def test_every_setting_has_a_heading_on_the_page(page, name):
    assert f".{name}`\n" in page or f"[{name}]" in page
