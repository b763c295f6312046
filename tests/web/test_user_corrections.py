"""What a reader may change from a page: stories, sources, and when a source is asked."""

from __future__ import annotations

import re
from datetime import timedelta

from lxml import html

from digests.store.stories import load_corrections
from digests.store.story_rows import story_members
from tests.web.press import NOW, app_of, site_of
from watcher.store.daemon_lock import hold_daemon_lock
from watcher.store.feeds import feed_states
from watcher.store.hosts import set_blocked_until
from watcher.store.writer import read, write

from .conftest import client_of


async def token_of(client, path) -> str:
    return html.fromstring((await client.get(path)).text).xpath("//input[@name='token']/@value")[0]


async def story_paths(client) -> list[str]:
    return list(dict.fromkeys(re.findall(r'href="(/story/[^"]+)"', (await client.get("/")).text)))


async def test_an_article_is_taken_out_of_its_story(client, press):
    engine = press[1]
    path = max(await story_paths(client), key=lambda p: len(read(engine, story_members, p[7:])))
    story = path.removeprefix("/story/")
    out = read(engine, story_members, story)[0].article_id

    found = await client.post(f"{path}/split", data={"token": await token_of(client, path), "article": out})

    assert (found.status_code, found.headers["location"]) == (303, f"{path}?done=1")
    assert out not in {member.article_id for member in read(engine, story_members, story)}
    assert [kept.correction.kind for kept in read(engine, load_corrections)] == ["split"]
    assert "became a story of its own" in (await client.get(path)).text
    page = (await client.get(found.headers["location"])).text
    other = re.search(r'Done: 1 article moved to <a href="(/story/[^"]+)">', page)[1]
    assert out in {member.article_id for member in read(engine, story_members, other.removeprefix("/story/"))}
    assert (
        "to revoke this one, run <code>watcher story forget 1</code>" in page
        and "Done:" not in (await client.get(path)).text
    )
    for wrong in ("2", "0", "x", "1%00"):
        assert "Done:" not in (await client.get(f"{path}?done={wrong}")).text


async def test_two_stories_are_made_one_by_the_address_of_the_other(client, press):
    one, other = (await story_paths(client))[:2]

    found = await client.post(
        f"{one}/join", data={"token": await token_of(client, one), "other": f"http://127.0.0.1:8420{other}"}
    )

    assert found.status_code == 303
    assert (
        "Done: the two stories are joined. Corrections are permanent"
        in (await client.get(found.headers["location"])).text
    )
    pages = [(await client.get(path)).text for path in (one, other)]
    assert sum("no longer exists: its articles are in this story" in page for page in pages) == 1


async def test_a_correction_that_makes_no_sense_is_refused_in_words(client):
    path = (await story_paths(client))[0]
    token = await token_of(client, path)

    nothing = await client.post(f"{path}/split", data={"token": token})
    itself = await client.post(f"{path}/join", data={"token": token, "other": path})
    nobody = await client.post(f"{path}/join", data={"token": token, "other": "nobody"})

    assert (nothing.status_code, itself.status_code, nobody.status_code) == (400, 400, 400)
    assert "name some of them" in nothing.text and "already one story" in itself.text and "no story" in nobody.text


async def test_a_source_is_paused_and_resumed_and_the_file_keeps_its_comments(client, press, site):
    _, engine, folder = press
    path = folder / "settings.toml"
    before = path.read_text(encoding="utf-8")
    told = []
    site.on_settings = lambda: told.append(1)
    token = await token_of(client, "/sources/1")

    done = [await client.post("/sources/1/pause", data={"token": token, "paused": "yes"})]
    told_paused = (await client.get(done[0].headers["location"])).text
    paused = path.read_text(encoding="utf-8")
    asked = {state.feed.id for state in read(engine, feed_states)}
    page = (await client.get("/sources/1")).text
    listed = (await client.get("/sources")).text
    done.append(await client.post("/sources/1/pause", data={"token": token, "paused": "no"}))
    told_again, told_late = [(await client.get(each.headers["location"])).text for each in reversed(done)]

    assert "Done: the source is switched off in the settings file." in told_paused
    assert "Done: the source is switched on in the settings file." in told_again and "Done:" not in told_late
    assert "enabled = false" in paused and "# the first" in paused
    assert 1 not in asked and "The source is paused" in page and "Paused" in listed
    assert path.read_text(encoding="utf-8") == paused.replace("enabled = false", "enabled = true")
    assert before.splitlines() == [line for line in paused.splitlines() if line != "enabled = false"]
    assert 1 in {state.feed.id for state in read(engine, feed_states)} and told == [1, 1]


async def test_a_source_is_polled_now_and_its_page_waits_while_a_daemon_is_at_work(press):
    settings, engine, _ = press
    client = client_of(app_of(site_of(settings, engine)))
    token = await token_of(client, "/sources/1")

    with hold_daemon_lock(engine, now=NOW):
        before = await client.get("/sources/1")
        found = await client.post("/sources/1/poll", data={"token": token})
        waiting = await client.get("/sources/1")
    after = await client.get("/sources/1?done=poll")

    assert (found.status_code, found.headers["location"]) == (303, "/sources/1?done=poll")
    assert "refresh" not in before.headers and "The source is due" not in before.text
    assert waiting.headers["refresh"] == "4" and "being polled" in waiting.text
    assert "refresh" not in after.headers  # nobody will poll it
    said = " ".join(html.fromstring(after.text).xpath("string(//p[@class='status'])").split())
    assert said.startswith(
        "You requested a poll. The source is due, but no daemon is running: the next watcher poll or"
    )
    due = {state.feed.id: state.feed.next_poll_at for state in read(engine, feed_states)}
    assert due[1] == NOW and due[2] > NOW


async def test_a_source_whose_host_asked_for_rest_says_until_when(press):
    settings, engine, _ = press
    client = client_of(app_of(site_of(settings, engine)))
    host = next(state.feed.host for state in read(engine, feed_states) if state.feed.id == 1)
    write(engine, set_blocked_until, host, until=NOW + timedelta(hours=2))

    with hold_daemon_lock(engine, now=NOW):
        await client.post("/sources/1/poll", data={"token": await token_of(client, "/sources/1")})
        page = await client.get("/sources/1?done=poll")

    assert "refresh" not in page.headers and "The source is due, but its host asked for a pause until" in page.text


async def test_polling_now_is_limited(client):
    token = await token_of(client, "/sources/1")

    found = [(await client.post("/sources/1/poll", data={"token": token})).status_code for _ in range(8)]

    assert found == [303] * 6 + [429] * 2
