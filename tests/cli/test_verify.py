"""`watcher verify`: proves an edition, and says which sentence is not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from tests.kinds import WORLD, on
from watcher.cli.main import run_command_line
from watcher.store.articles import compress
from watcher.store.schema import texts
from watcher.store.writer import write

SETTINGS = f"""{WORLD}
formats = ["text"]
"""
FLOOD = (
    "Flood strikes the valley of Orlen. A flood struck the valley of Orlen on Monday and 300 people left home, the "
    "mayor said. The river Tarn rose by four metres within a day, more than at any time in the last ninety years."
)


def settings(tmp_path, store_url) -> str:
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS))
    return str(path)


def test_an_edition_is_proved_until_an_article_of_it_changes(put, engine, tmp_path, store_url, capsys):
    config = settings(tmp_path, store_url)
    article = put("Post", FLOOD, datetime.now(UTC) - timedelta(hours=2))
    assert run_command_line(["digest", "--config", config]) == 0
    capsys.readouterr()

    assert run_command_line(["verify", "--config", config]) == 0
    assert "all verbatim" in capsys.readouterr().out

    forged = compress(FLOOD.replace("300 people", "900 people"))
    write(engine, lambda c: c.execute(update(texts).where(texts.c.article_id == article.id).values(text=forged)))
    assert run_command_line(["verify", "--config", config]) == 1
    assert "300 people" in capsys.readouterr().out


def test_a_date_without_an_edition_is_said_to_have_none(engine, tmp_path, store_url, capsys):
    assert run_command_line(["verify", "--date", "2020-01-01", "--config", settings(tmp_path, store_url)]) == 1

    assert "no edition of world for 2020-01-01 is stored" in capsys.readouterr().err
