"""The forms in Chromium, with and without JavaScript: a story is kept with a note, and a source is added."""

from __future__ import annotations

import re
import urllib.request

import pytest

from tests.cli.site import rss, serving
from tests.web.press import filled
from tests.web.test_browser import in_browser, run_node, serve

pytestmark = pytest.mark.slow  # starts a browser

TOKEN = "0123456789abcdef0123"


@in_browser
def test_a_story_is_kept_and_a_source_added_with_and_without_javascript(tmp_path):
    path = tmp_path / "settings.toml"
    with serving() as outlet:
        for n in range(2):
            outlet.page(
                f"/{n}", f"<title>Outlet</title><link rel=alternate type=application/rss+xml href=/{n}.xml><p>News"
            )
            outlet.feed(f"/{n}.xml", rss(f"Feed {n}", numbers=range(9 * n, 9 * n + 9)))
        more = f"[web]\ntoken = 'file:{tmp_path}/token'\n[fetch]  # mine\nhost_delay = '0s'\n"
        more += f"allow_private = ['{outlet.place}']\n"
        filled(tmp_path, more)[1].dispose()
        (tmp_path / "token").write_text(TOKEN)
        before = path.read_text(encoding="utf-8")

        with serve(tmp_path) as base:
            request = urllib.request.Request(base, headers={"Authorization": f"Bearer {TOKEN}"})
            page = urllib.request.urlopen(request, timeout=60).read().decode()
            story = re.search(r'href="(/story/[^"]+)"', page)[1]
            found = run_node("forms.mjs", base, TOKEN, story, *(outlet.url(f"/{n}") for n in range(2)))

    assert [seen["javaScriptEnabled"] for seen in found] == [True, False]
    for n, seen in enumerate(found):
        assert f"Note {n}: ask for the minutes" in seen["kept"] and "quake" in seen["kept"]
        assert seen["filled"] == outlet.url(f"/{n}") and "Feed" not in seen["before"]
        assert f"Feed {n}" in seen["shown"] and f"Story number {9 * n} of the day" in seen["shown"]
        assert "Added to the settings file" in seen["added"] and re.fullmatch(r"/sources/\d+", seen["at"])
        assert (seen["errors"], seen["violations"]) == ([], [])
        assert all(each <= 0 for each in seen["overflow"]) and len(seen["overflow"]) == (12, 0)[n]
    tables = "".join(
        f'\n[[sources]]\nurl = "{outlet.url(f"/{n}.xml")}"\nname = "Outlet {n}"\nlanguage = "en"\n' for n in range(2)
    )
    assert path.read_text(encoding="utf-8") == before + tables
    assert set(outlet.asked) == {"/0", "/0.xml", "/1", "/1.xml", "/favicon.ico"}  # the last by the browser
