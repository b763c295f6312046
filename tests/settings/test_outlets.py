"""The table of outlets: sound rows, and what a source gets from it."""

from __future__ import annotations

from importlib.resources import files

import pytest
from babel import Locale

from watcher.model import Source
from watcher.settings.load import load_settings_file
from watcher.settings.outlets import complete_source, find_outlet, load_outlets
from watcher.settings.types import country_code

SOURCES = {"cc", "nc", "fd", "cb", "fl", "cd"}


def test_each_row_of_the_table_is_well_formed_and_names_its_sources():
    text = (files("watcher.settings") / "outlets.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    languages = Locale("en").languages

    assert len(load_outlets()) == len(rows) >= 1_000
    assert len({row[1] for row in rows}) >= 120
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    for host, country, language, owner, kind, sources in rows:
        assert host == host.strip().lower() and "." in host and not host.startswith("www."), host
        assert country_code(country) == country, host
        assert not language or language in languages, host
        assert kind in ("", "public", "state", "private"), host
        assert sources and all(each in SOURCES or "." in each for each in sources.split()), host
        # An owner or a kind of owner is never without a source of its own, or the domain of a government.
        assert not (owner or kind) or "." in sources or ".gov" in host, host


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("bbc.co.uk", ("GB", "BBC", "public")),
        ("news.bbc.co.uk", ("GB", "BBC", "public")),
        ("tass.com", ("RU", "Government of Russia", "state")),
        ("www.mirror.co.uk", ("GB", "Reach plc", "private")),
        ("fbcnews.com.fj", ("FJ", "", "")),
    ],
)
def test_a_host_is_found_by_itself_or_by_a_domain_above_it(host, expected):
    outlet = find_outlet(host)

    assert outlet is not None
    assert (outlet.country, outlet.owner, outlet.owner_kind) == expected


@pytest.mark.parametrize(
    "host", ["", "co.uk", "com", "notbbc.co.uk", "127.0.0.1", "feeds.feedburner.com", "bbc.co.uk."]
)
def test_an_unknown_host_has_no_outlet(host):
    assert find_outlet(host) is None


def test_the_outlet_of_a_mail_folder_is_that_of_its_sender_and_not_its_mail_server():
    folder = Source(url="imaps://me@imap.web.de/INBOX", name="Letters")
    sender = Source(url="imaps://me@imap.web.de/INBOX?from=news@news.bbc.co.uk&from=@x.example", name="Letters")

    assert complete_source(folder).country is None
    assert complete_source(sender).country == "GB"


def test_a_source_is_completed_only_where_the_settings_say_nothing(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(
        """
        sources = [
            { url = "https://www.corriere.it/rss.xml" },
            { url = "https://www.corriere.it/own", country = "SM", language = "en", owner = "Somebody" },
            { url = "https://www.corriere.it/none", owner = "" },
            { url = "https://roma.corriere.it/rss.xml" },
            { url = "https://post.example/rss.xml" },
        ]
        """
    )

    found = load_settings_file(path).active_sources()

    assert [(each.country, each.language, each.owner, each.owner_kind) for each in found] == [
        ("IT", None, "RCS MediaGroup", "private"),  # the language of each text is detected
        ("SM", "en", "Somebody", None),  # the kind in the table is that of another owner
        ("IT", None, "", None),
        ("IT", None, "RCS MediaGroup", "private"),
        (None, None, None, None),
    ]


def test_a_source_of_an_unknown_outlet_stays_as_it_is():
    source = Source(url="https://post.example/rss.xml", name="Post")

    assert complete_source(source) is source
