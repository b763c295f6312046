"""A story is followed from its page, and no longer, as other forms of the site change things."""

from __future__ import annotations

import pytest

from digests.stories.follows import load_followed
from tests.web.press import app_of, site_of
from tests.web.test_user_corrections import story_paths, token_of
from watcher.store.writer import read

from .conftest import client_of

pytestmark = pytest.mark.slow


async def test_a_story_is_followed_from_its_page_and_no_longer(client, press):
    engine = press[1]
    path = (await story_paths(client))[0]
    token = await token_of(client, path)

    before = (await client.get(path)).text
    done = await client.post(f"{path}/follow", data={"token": token, "follow": "yes"})
    again = await client.post(f"{path}/follow", data={"token": token, "follow": "yes"})
    after = (await client.get(path)).text
    held = read(engine, load_followed)
    stopped = await client.post(f"{path}/follow", data={"token": token, "follow": "no"})

    assert "<button>Follow this story</button>" in before and "You follow this story" not in before
    assert {(each.status_code, each.headers["location"]) for each in (done, again, stopped)} == {(303, path)}
    assert "<b>You follow this story</b> since " in after and "<button>Stop following</button>" in after
    assert [f"/story/{row.id}" for _, _, row in held] == [path]
    assert read(engine, load_followed) == []


async def test_a_form_without_its_token_or_of_no_story_follows_nothing(client, press):
    path = (await story_paths(client))[0]
    token = await token_of(client, path)

    strange = await client.post(f"{path}/follow", data={"follow": "yes"})
    nobody = await client.post("/story/nobody/follow", data={"token": token, "follow": "yes"})

    assert (strange.status_code, nobody.status_code) == (403, 400)
    assert "there is no story" in nobody.text
    assert read(press[1], load_followed) == []


async def test_a_static_copy_does_not_say_what_is_followed(client, press):
    settings, engine, _ = press
    path = (await story_paths(client))[0]
    await client.post(f"{path}/follow", data={"token": await token_of(client, path), "follow": "yes"})

    page = (await client_of(app_of(site_of(settings, engine, is_static=True))).get(path)).text

    assert "ollow" not in page
