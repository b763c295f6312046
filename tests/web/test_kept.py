"""What is kept on the site: the forms, the page with its search, the feed, and the signed link of a mail."""

from __future__ import annotations

import json
import re
from email import message_from_bytes, policy

import pytest

from digests.edition.publish import render_files
from digests.settings.digests import digests_of
from digests.store.editions import edition_rows, load_edition
from digests.store.marks import save_link_key
from digests.stories.marks import load_kept
from tests.web.press import app_of, settings_in, site_of
from tests.web.test_user_corrections import story_paths, token_of
from watcher.store.writer import read, write

from .conftest import BASE, client_of

SITE = '[web]\ntoken = "file:web-token"\n'
TOKEN = "0123456789abcdef0123"


@pytest.fixture
def signed(press):
    """The site with a token, and the links of the last edition's mail that keep its stories."""
    settings, engine, folder = press
    (folder / "web-token").write_text(TOKEN)
    settings = settings_in(folder, f'site = "{BASE}/"\n{SITE}', store_url=settings.store.url)
    write(engine, save_link_key, "a key of the store")
    edition = read(engine, load_edition, read(engine, edition_rows)[0])
    (form,) = render_files(engine, edition, digests_of(settings)[0], ("eml",))
    mail = message_from_bytes(form.body, policy=policy.default)
    links = {
        kind: re.findall(rf"{BASE}/signed/keep/[^\s\"<>]+", mail.get_body((kind,)).get_content())
        for kind in ("html", "plain")
    }
    return site_of(settings, engine), edition, links


def marks_of(engine) -> list[tuple]:
    return [(item.kind, item.id, item.tags, item.note) for item in read(engine, load_kept)]


async def test_a_story_and_an_article_are_kept_from_their_pages_with_tags_and_a_note(client, press):
    engine, path = press[1], (await story_paths(client))[0]
    token = await token_of(client, path)
    article = re.search(r"/article/\w+", (await client.get(path)).text)[0]

    done = [await client.post(f"{each}/keep", data={"token": token, "keep": "yes"}) for each in (path, article)]
    noted = {"token": token, "keep": "edit", "tags": "energy, a<b", "note": "<b>Ask</b>\nTwice."}
    await client.post(f"{path}/keep", data=noted)
    page, kept = (await client.get(path)).text, (await client.get("/kept?q=ask")).text
    found = marks_of(engine)
    for each in (path, article):
        await client.post(f"{each}/keep", data={"token": token, "keep": "no"})

    assert [(each.status_code, each.headers["location"]) for each in done] == [(303, path), (303, article)]
    assert "<b>You keep this story</b> since " in page and "&lt;b&gt;Ask&lt;/b&gt;" in page
    assert f'<a href="{path}"' in kept and "#a&lt;b" in kept and article not in kept
    assert [each[0] for each in found] == ["story", "article"] or [each[0] for each in found] == ["article", "story"]
    assert ("story", path[7:], ("energy", "a<b"), "<b>Ask</b>\nTwice.") in found
    assert marks_of(engine) == []


async def test_the_feed_of_what_is_kept_has_its_note_and_is_for_a_tag_too(client, press):
    path = (await story_paths(client))[0]
    token = await token_of(client, path)
    await client.post(f"{path}/keep", data={"token": token, "keep": "edit", "tags": "energy", "note": "1 < 2"})

    feed = json.loads((await client.get("/kept/feed.json")).text)
    other = json.loads((await client.get("/kept/feed.json?tag=sport")).text)
    atom = await client.get("/kept/feed.atom?tag=energy")

    ((item,), rest) = feed["items"], other["items"]
    assert (item["url"], item["content_html"]) == (f"{BASE}{path}", "<p>1 &lt; 2</p><p>#energy</p>")
    assert rest == [] and atom.status_code == 200 and path in atom.text


async def test_a_form_without_its_token_keeps_nothing(client, press):
    path = (await story_paths(client))[0]
    token = await token_of(client, path)

    strange = await client.post(f"{path}/keep", data={"keep": "yes"})
    nobody = await client.post("/story/nobody/keep", data={"token": token, "keep": "yes"})

    assert (strange.status_code, nobody.status_code) == (403, 400)
    assert marks_of(press[1]) == []


async def test_a_scanner_that_follows_every_link_of_a_mail_changes_nothing(press, signed):
    site, edition, links = signed
    scanner = client_of(app_of(site), peer="203.0.113.9")

    answers = [await scanner.request(method, link) for link in links["html"] for method in ("GET", "HEAD")]

    assert links["html"] == links["plain"] and len(links["html"]) == len(edition.stories) > 0
    assert {answer.status_code for answer in answers if answer.request.method == "GET"} == {200}
    assert site.form_token not in answers[0].text and "Keep this story" in answers[0].text
    assert marks_of(press[1]) == []


async def test_the_button_behind_a_link_of_a_mail_keeps_its_story_and_no_other(press, signed):
    site, edition, links = signed
    reader = client_of(app_of(site), peer="203.0.113.9")
    link, other = links["html"][0], edition.stories[-1].id if len(edition.stories) > 1 else "s000000000"

    strange = await reader.post(link, headers={"Origin": "https://evil.example"})
    forged = await reader.post(link.replace(edition.stories[0].id, other))
    done = await reader.post(link, headers={"Origin": BASE})
    again = await reader.get(link)
    inside = [(await reader.get(path)).status_code for path in ("/kept", f"/story/{edition.stories[0].id}")]

    assert (strange.status_code, forged.status_code, done.status_code) == (403, 404, 303)
    assert "You keep this story since" in again.text and "<button>" not in again.text
    assert inside == [401, 401]
    assert [each[1] for each in marks_of(press[1])] == [edition.stories[0].id]


async def test_a_mail_has_no_links_that_keep_without_a_site_in_its_settings_nor_in_a_static_copy(press, signed):
    settings, engine, _ = press
    edition = signed[1]

    (form,) = render_files(engine, edition, digests_of(settings)[0], ("eml",))
    copy = await client_of(app_of(site_of(signed[0].settings, engine, is_static=True))).get(
        f"/digest/world/{edition.local_date}.eml", headers={"Authorization": f"Bearer {TOKEN}"}
    )

    assert b"/signed/" not in form.body
    assert copy.status_code == 200 and b"/signed/" not in copy.content
