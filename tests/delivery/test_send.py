"""Stories and articles that are sent on: what each service gets by its recipe, once, and what its errors become."""

from __future__ import annotations

import json
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digests.delivery.outbox import OutboxWorker
from digests.settings.send import SendSection
from digests.store.outbox import FAILED, SENT, WAITING, claim_delivery, deliveries_of_item
from digests.stories.marks import keep
from digests.stories.send import send_item
from tests.delivery.services import APIS, TOKEN, Service, serving
from tests.digest_store import put
from watcher.errors import SettingsError
from watcher.settings.load import parse_settings
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow

__all__ = ["put"]
NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "send.md").read_text(encoding="utf-8")
RECIPES = {re.search(r'name = "(\w+)"', each)[1]: each for each in re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)}


class Desk:
    """A store with an article that is kept, a service, and a clock."""

    def __init__(self, engine, folder, service: Service, recipe: str) -> None:
        self.engine, self.service, self.now = engine, service, NOW
        for name in re.findall(r'"file:([\w-]+)"', recipe):
            (folder / name).write_text(TOKEN)
        text = re.sub(r"https://[\w.]+", service.origin, recipe)
        self.settings = parse_settings(f'{text}\n[[digests]]\nname = "world"\n', folder / "settings.toml")

    def send(self, wanted: str) -> str:
        return write(self.engine, send_item, self.settings.section(SendSection).root, wanted, now=self.now)

    def run(self) -> list[tuple[str, str]]:
        """Do a pass over the outbox; return the states, and what the service said."""
        worker = OutboxWorker(self.engine, self.settings, now=lambda: self.now, chance=lambda: 0.5)
        return [(each.state, each.response) for each in worker.send_due()]


@pytest.fixture(params=list(APIS))
def desk(request, engine, tmp_path):
    with serving(APIS[request.param]) as service:
        yield Desk(engine, tmp_path, service, RECIPES[request.param])


@pytest.fixture
def article(put, engine):
    stored = put("Harbour", 'Quake "shakes" Tarvola {url}. A quake shook Tarvola.')
    write(engine, keep, stored.id, tags=["energy", "port"], note="Ask.", now=NOW)
    return stored


def test_the_guide_has_a_recipe_for_each_service():
    assert RECIPES.keys() == APIS.keys()


def test_a_service_gets_address_title_and_what_it_has_place_for_once(desk, article):
    item = desk.send(article.id)
    (state,) = desk.run()
    desk.send(article.url)
    again = desk.run()

    (entry,) = desk.service.entries
    assert (item, state[0], again, desk.service.requests) == (f"article {article.id}", SENT, [], 1)
    assert (entry[desk.service.api.url], entry["title"]) == (article.url, article.title)
    assert entry.get("tags", entry.get("labels", entry.get("tag_names", ["energy", "port"]))) == ["energy", "port"]
    assert entry.get("note", entry.get("notes", "Ask.")) == "Ask."


def test_an_error_of_the_service_and_a_killed_process_bring_one_entry(desk, article):
    desk.service.next_answers.append((500, {}, b"try later"))
    item = desk.send(article.id)
    ((state, said),) = desk.run()
    assert (state, "try later" in said) == (WAITING, True)
    desk.now += 2 * MINUTE
    dead = f"{socket.gethostname()}:999999:gone"
    assert write(desk.engine, claim_delivery, now=desk.now, by=dead) is not None
    desk.now += 2 * MINUTE

    ((state, _),) = desk.run()

    assert (state, len(desk.service.entries), desk.service.requests) == (SENT, 1, 2)
    (delivery,) = read(desk.engine, deliveries_of_item, item)
    assert delivery.state == SENT


def test_a_refusal_is_shown_and_sending_again_tries_again(desk, article):
    desk.service.next_answers.append((422, {}, b'{"error": "no space left in the collection"}'))
    desk.send(article.id)
    ((state, said),) = desk.run()

    desk.send(article.id)
    ((later, _),) = desk.run()

    assert (state, later, len(desk.service.entries)) == (FAILED, SENT, 1)
    assert "answered 422" in said and "no space left" in said


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize("fault", ["wrong_token", "wrong_fields"])
def test_what_a_service_says_of_a_wrong_token_or_field_is_shown(engine, tmp_path, article, name, fault):
    api = APIS[name]
    recipe = RECIPES[name]
    if fault == "wrong_fields":
        recipe = recipe.replace(f'"{api.url}": {{url}}', '"address": {url}')
    with serving(api) as service:
        desk = Desk(engine, tmp_path, service, recipe)
        if fault == "wrong_token":
            (tmp_path / re.search(r'"file:([\w-]+)"', recipe)[1]).write_text("another-token")
        desk.send(article.id)

        ((state, said),) = desk.run()

    status, reply = getattr(api, fault)
    assert (state, service.entries) == (FAILED, [])
    assert ("refused it" if status == 200 else f"answered {status}") in said
    assert json.dumps(reply) in said


def test_a_reply_of_success_that_says_that_nothing_was_saved_is_a_failure(engine, tmp_path, article):
    with serving(APIS["raindrop"]) as service:
        desk = Desk(engine, tmp_path, service, RECIPES["raindrop"])
        service.next_answers.append((200, {}, b'{"result": false, "errorMessage": "too large"}'))
        desk.send(article.id)

        ((state, said),) = desk.run()

    assert state == FAILED and "too large" in said


def test_a_token_is_in_no_reply_that_is_stored_and_follows_no_redirect(desk, article):
    desk.service.next_answers.append((302, {"Location": f"{desk.service.origin}/elsewhere"}, TOKEN.encode()))
    desk.send(article.id)

    ((state, said),) = desk.run()

    assert (state, desk.service.requests) == (FAILED, 1)
    assert TOKEN not in said and "answered 302" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [('token = "abc"', "expected"), ('body = "{url}}"', "got no JSON"), ("body = '{\"a\": {title}}'", "without {url}"),
     ('header = "Authorization"', "expected a header"), ('url = "ftp://x"', "expected an http"),
     ('name = "Big Service"', "lower-case")],
)  # fmt: skip
def test_a_wrong_table_is_refused_in_words(tmp_path, line, said):
    key = line.partition(" =")[0]
    lines = {"name": 'name = "one"', "url": 'url = "https://one.example/"'} | {key: line}

    with pytest.raises(SettingsError) as refused:
        parse_settings("[[send]]\n" + "\n".join(lines.values()) + "\n", tmp_path / "settings.toml")

    assert any(said in str(problem) for problem in refused.value.problems)
