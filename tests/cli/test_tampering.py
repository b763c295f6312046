"""`watcher verify` finds each consistent change of an edition: in its files, in the store, and by the articles."""

from __future__ import annotations

import datetime
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digests import edition_json
from digests.edition.evidence import verify_with_store
from digests.edition.publish import render_files
from digests.model.edition import Edition
from digests.settings.digests import digests_of
from digests.store.editions import open_digests
from tests.chat_server import chat_server
from tests.edition.tampering import SETTINGS, TAMPERINGS, WRITTEN, make_editions
from tests.translate.models import models
from watcher.cli.main import run_command_line
from watcher.settings.load import load_settings_file
from watcher.store.writer import read

__all__ = ["models"]

pytestmark = pytest.mark.slow  # makes two editions, and runs a command for each form of each tampering

SHOWN_FORMS = ("markdown", "html", "text", "eml", "epub")
FORMS = ("json", *SHOWN_FORMS)
DATE = "2026-11-25"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A store with an edition, and the files that were written for it, by format."""

    folder: Path
    engine: Engine
    edition: Edition
    files: dict[str, Path]
    render: Callable[[Edition, str], bytes]

    def verify(self, *words: str) -> int:
        return run_command_line(["verify", *words, "--config", str(self.folder / "settings.toml")])


@pytest.fixture(scope="module")
def made(tmp_path_factory, models) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("tampering")
    with chat_server() as server:
        server.write = lambda user: WRITTEN if "Orlen" in user else ""
        path = folder / "settings.toml"
        path.write_text(SETTINGS.format(models=models, url=server.url), encoding="utf-8")
        settings = load_settings_file(path)
        engine = open_digests(settings.store.url)
        _, built = make_editions(settings, engine)
    (digest,) = digests_of(settings)

    def render(edition: Edition, form: str) -> bytes:
        (rendered,) = render_files(engine, edition, digest, [form])
        return rendered.body

    files = dict(zip(FORMS, built.files, strict=True))
    yield Made(folder=folder, engine=engine, edition=built.edition, files=files, render=render)
    engine.dispose()


def test_the_edition_shows_what_is_tampered_with(made):
    story, translated, _ = made.edition.stories

    assert story.llm_sentences and story.number_changes and story.agencies and story.trend
    (line,) = made.edition.at_a_glance
    assert line.kind == "changed" and "900" in line.text
    assert [event.on for event in made.edition.coming_up] == [datetime.date(2026, 12, 3)]
    assert translated.figure_changes and translated.translation and made.edition.corrections and made.edition.briefs


@pytest.mark.parametrize("form", FORMS)
def test_an_untouched_file_is_proved(made, form, capsys):
    assert made.verify(str(made.files[form])) == 0, capsys.readouterr().out


def test_an_untouched_edition_is_proved(made, capsys):
    assert made.verify(DATE) == 0, capsys.readouterr().out
    assert made.verify("--all") == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_file_of_a_tampered_edition_is_found(made, name, tmp_path, capsys):
    """As JSON, and in the first form that shows it: the search begins with another form for each tampering."""
    edition = TAMPERINGS[name][0](made.edition)
    first = list(TAMPERINGS).index(name) % len(SHOWN_FORMS)
    forms = ["json", *SHOWN_FORMS[first:], *SHOWN_FORMS[:first]]
    found = {}
    for form in forms:
        tampered = made.render(edition, form)
        if tampered != made.files[form].read_bytes():
            copy = tmp_path / made.files[form].name
            copy.write_bytes(tampered)
            found[form] = made.verify(str(copy))
        if len(found) == 2:
            break

    assert ("json" in found and len(found) > 1) or name in ("another trend", "the country of a source"), name
    assert set(found.values()) == {1}, (found, capsys.readouterr().out)


@pytest.mark.parametrize("name", [None, *TAMPERINGS])
def test_the_articles_alone_show_which_texts_counts_and_times_are_wrong(made, name):
    tamper, is_shown = TAMPERINGS[name] if name else (lambda edition: edition, False)

    found = read(made.engine, verify_with_store, tamper(made.edition), is_original=False)

    assert bool(found) is is_shown, found


@pytest.mark.parametrize("name", [*TAMPERINGS][::6])
def test_a_tampered_edition_in_the_store_is_found(made, name, capsys):
    """The payload alone is replaced, as by a program that knows the format: its hash shows any change."""
    forged = zlib.compress(edition_json.dump(TAMPERINGS[name][0](made.edition)))
    with sqlite3.connect(made.folder / "watcher.db") as store:
        (before,) = store.execute("SELECT payload FROM editions WHERE local_date = ?", [DATE]).fetchone()
        store.execute("UPDATE editions SET payload = ? WHERE local_date = ?", [forged, DATE])
    try:
        assert made.verify(DATE) == 1, capsys.readouterr().out
    finally:
        with sqlite3.connect(made.folder / "watcher.db") as store:
            store.execute("UPDATE editions SET payload = ? WHERE local_date = ?", [before, DATE])
        store.close()
