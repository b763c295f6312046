"""`watcher coverage`: a table by country and one by language, and the countries known only from agencies."""

from __future__ import annotations

import json

import pytest

from digests.store.editions import open_digests
from tests.web.press import HOUR, NOW, edition, put, settings_in
from watcher.cli.main import run_command_line
from watcher.store.feeds import sync_sources
from watcher.store.writer import write

KENYA = "Kenya floods kill nine. Floods in Kenya killed nine people near Nairobi, the government of Kenya said. "
PERU = "Peru votes on Sunday. Voters in Peru go to the polls on Sunday, officials in Lima, Peru, said. "
QUAKE = "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, mayor Henrik Oster said. "
OWN = "Peru votes on Sunday in a close race. Our reporter in Lima heard from voters in Peru, who go to the polls soon. "
MORE = """[[sources]]
url = "https://fbcnews.com.fj/feed/"
name = "FBC News"
[[sources]]
url = "https://www.nairobiwire.com/feed"
name = "Nairobi Wire"
"""


@pytest.fixture
def coverage(tmp_path, store_url, capsys):
    """Return a function that runs the command on a store in which agencies alone report on Kenya."""
    settings = settings_in(tmp_path, MORE, store_url=store_url)
    engine = open_digests(settings.store.url)
    write(engine, sync_sources, settings.active_sources(), now=NOW)
    rows = (
        ("Harbour Post", "en", "GB", KENYA, "AFP"), ("Prairie Ledger", "en", "CA", KENYA, "AFP"),
        ("Harbour Post", "en", "GB", PERU, "Reuters"), ("Prairie Ledger", "en", "CA", OWN, None),
        ("Karoo Standard", "en", "ZA", QUAKE, None), ("Prairie Ledger", "en", "CA", QUAKE + "Nobody was hurt.", None),
    )  # fmt: skip
    for n, (outlet, language, country, text, agency) in enumerate(rows):
        at = NOW - 20 * HOUR + n * HOUR
        put(engine, f"{n:016x}", outlet=outlet, language=language, country=country, text=text, at=at, agency=agency)
    edition(settings, engine)
    engine.dispose()

    def call(*arguments: str):
        code = run_command_line(["coverage", *arguments, "--config", str(tmp_path / "settings.toml")])
        return code, *capsys.readouterr()

    return call


def test_coverage_is_shown_by_country_and_language_with_what_only_agencies_report(coverage):
    code, shown, _ = coverage("--since", "2026-11-01")

    assert code == 0
    assert shown.splitlines() == [
        "since 2026-11-01 00:00: 6 articles, 3 stories of several outlets",
        "",
        "country                       outlets  last article      first to report",
        "Canada                              1  2026-11-24 17:00  0 of 3 (0%)",
        "Egypt                               1  none              0 of 3 (0%)",
        "Fiji                                1  none              0 of 3 (0%)",
        "Japan                               1  none              0 of 3 (0%)",
        "Kenya                               1  none              0 of 3 (0%)",
        "South Africa                        1  2026-11-24 16:00  1 of 3 (33%)",
        "United Kingdom                      1  2026-11-24 14:00  2 of 3 (67%)",
        "",
        "language                      outlets  last article      first to report",
        "English                             3  2026-11-24 17:00  3 of 3 (100%)",
        "Arabic                              1  none              0 of 3 (0%)",
        "Japanese                            1  none              0 of 3 (0%)",
        "",
        "Only agencies report on these countries:",
        "  Kenya: 2 texts of AFP; outlets there: standardmedia.co.ke, theeastafrican.co.ke (en)",
    ]


def test_coverage_in_json_has_codes_times_and_counts(coverage):
    code, shown, _ = coverage("--since", "2026-11-01", "--json")
    found = json.loads(shown)

    assert code == 0
    assert (found["articles"], found["stories"], found["since"]) == (6, 3, "2026-10-31T23:00:00Z")
    assert found["countries"][0] == {
        "code": "CA", "name": "Canada", "outlets": 1, "last_article_at": "2026-11-24T16:00:00Z", "stories_first": 0,
    }  # fmt: skip
    assert [each["code"] for each in found["agency_countries"]] == ["KE"]


@pytest.mark.parametrize(
    ("since", "words"),
    [("soon", 'expected a duration such as "2d"'), ("2999-01-01", "expected a time in the past"), ("0s", "past")],
)
def test_a_wrong_time_is_named(coverage, since, words):
    code, _, told = coverage("--since", since)

    assert code == 2
    assert since in told and words in " ".join(told.split())


def test_an_empty_store_says_what_to_do(tmp_path, store_url, capsys):
    settings = settings_in(tmp_path, store_url=store_url)
    open_digests(settings.store.url).dispose()

    code = run_command_line(["coverage", "--config", str(tmp_path / "settings.toml")])

    assert code == 0
    assert "watcher sources add URL" in capsys.readouterr().out
