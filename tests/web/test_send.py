"""A story or an article is sent on from its page, and the page says what came of it."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import update

from digests.delivery.outbox import OutboxWorker
from digests.settings.digests import digests_of
from digests.settings.send import SendSection
from digests.store.editions import edition_rows, load_edition
from digests.store.outbox import deliveries_of_item
from digests.stories.send import send_must
from tests.delivery.services import APIS, serving
from tests.web.press import NOW, app_of, settings_in, site_of
from tests.web.test_user_corrections import story_paths, token_of
from watcher.store.schema import articles
from watcher.store.writer import read, write

from .conftest import client_of


@pytest.fixture
def service():
    with serving(APIS["readeck"]) as service:
        yield service


@pytest.fixture
def desk(press, service):
    """The site with a service in its settings, and a client."""
    settings, engine, folder = press
    (folder / "key").write_text("a-token-of-the-service")
    table = f'[[send]]\nname = "readeck"\nurl = "{service.origin}/api/bookmarks"\ntoken = "file:key"\nmust = true\n'
    settings = settings_in(folder, table, store_url=settings.store.url, digest='must = ["ferry"]')
    return settings, engine, client_of(app_of(site_of(settings, engine)))


async def test_a_story_and_an_article_are_sent_from_their_pages(desk, service):
    settings, engine, client = desk
    path = (await story_paths(client))[0]
    token = await token_of(client, path)
    article = re.search(r"/article/\w+", (await client.get(path)).text)[0]

    before = (await client.get(path)).text
    for each in (path, article, article):
        done = await client.post(f"{each}/send", data={"token": token, "to": "readeck"})
        assert (done.status_code, done.headers["location"]) == (303, each)
    waiting = (await client.get(path)).text
    worker = OutboxWorker(engine, settings, now=lambda: NOW)
    states = await asyncio.to_thread(lambda: [each.state for each in worker.send_due()])
    client = client_of(app_of(site_of(settings, engine)))  # without the pages that were made a moment ago
    after = (await client.get(path)).text
    strange = await client.post(f"{path}/send", data={"token": await token_of(client, path), "to": "elsewhere"})

    assert "<button>Send to readeck</button>" in before and "<button>Send to readeck</button>" not in after
    assert "<bdi>readeck</bdi>: waiting" in waiting and "<bdi>readeck</bdi>: sent (202 " in after
    assert states == ["sent", "sent"] and len(service.entries) == 2
    assert (strange.status_code, "no such service" in strange.text) == (400, True)


async def test_without_a_service_a_page_has_no_button(client):
    assert "Send to" not in (await client.get((await story_paths(client))[0])).text


def test_a_story_of_an_edition_with_a_must_phrase_is_sent(desk, service):
    settings, engine, _ = desk
    edition, services = read(engine, load_edition, read(engine, edition_rows)[0]), settings.section(SendSection).root
    (ferry,) = [story for story in edition.stories if "Ferry" in story.title]

    for _ in range(2):
        write(engine, send_must, services, digests_of(settings)[0].must, edition, now=NOW)
    list(OutboxWorker(engine, settings, now=lambda: NOW).send_due())

    assert [entry["title"] for entry in service.entries] == [ferry.title]
    assert [each.state for each in read(engine, deliveries_of_item, f"story {ferry.id}")] == ["sent"]


def test_a_story_without_a_web_address_is_not_sent_and_the_edition_is_saved(desk, service):
    settings, engine, _ = desk
    edition, services = read(engine, load_edition, read(engine, edition_rows)[0]), settings.section(SendSection).root
    write(engine, lambda c: c.execute(update(articles).values(url="mid:" + articles.c.id)))

    write(engine, send_must, services, digests_of(settings)[0].must, edition, now=NOW)

    assert list(OutboxWorker(engine, settings, now=lambda: NOW).send_due()) == [] and service.entries == []
