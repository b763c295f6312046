"""`watcher sources discover` and `sources test`: a feed told as the client sees it, over real HTTP on loopback."""

from __future__ import annotations

import json

import pytest

from tests.cli.site import rss, serving
from watcher.cli.main import run_command_line
from watcher.cli.output import format_bytes, print_lines
from watcher.errors import SettingsError
from watcher.settings.load import load_settings_file
from watcher.text.format import format_duration
from watcher.worker.proposals import candidate_urls

pytestmark = pytest.mark.slow  # starts a site, and processes that read its feeds


@pytest.fixture
def site():
    with serving() as made:
        yield made


@pytest.fixture
def file(site, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(
        f"[fetch]\nallow_private = ['{site.place}']\nhost_delay = '0s'\n"
        f"[[sources]]\nurl = '{site.url('/mine')}'\nname = 'Mine'\nevery = '3h'\n"
    )
    return path


def sources(path, *arguments):
    return run_command_line(["sources", *arguments, "--config", str(path)])


def told(out):
    """Return what is said of a feed, by label."""
    rows, label = {}, ""
    for line in out.splitlines()[2:]:
        label = line[:11].strip() or label
        rows.setdefault(label, []).append(line[12:])
    return rows


def test_a_feed_is_told_with_its_redirects_its_validators_and_its_next_poll(site, file, capsys):
    site.redirect("/old", "/new")
    site.feed("/new", rss(head="<ttl>90</ttl>"), ETag='"1"', Cache_Control="max-age=600")

    assert sources(file, "test", site.url("/old")) == 0

    out = capsys.readouterr().out
    rows = told(out)
    assert out.startswith('OK: 3 entries of "The Post"')
    assert rows["redirects"] == [
        f"301 to {site.url('/new')} (permanent: would be remembered after two successful polls)"
    ]
    assert rows["response"][0].startswith("200, application/rss+xml; charset=utf-8, ")
    assert rows["validators"][0] == 'ETag "1"'
    assert rows["validators"][1].startswith("the server ignores them: every poll transfers ")
    assert rows["freshness"][0] == "Cache-Control: max-age=600: fresh for 10 minutes"
    assert rows["format"] == ["RSS 2.0"]
    assert (rows["GUIDs"], rows["links"], rows["dates"]) == (["ok"], ["ok"], ["ok"])
    assert rows["next poll"][0].startswith("in 90 minutes, at ")
    assert "the feed asks for it" in rows["next poll"][0]


def test_a_source_of_the_settings_is_meant_by_name_and_polled_as_often_as_it_says(site, file, capsys):
    site.answers["/mine"] = lambda asked: (
        (304, {}, b"") if asked["If-None-Match"] else (200, {"ETag": "x"}, rss().encode())
    )

    assert sources(file, "test", "mine", "--json") == 0

    said = json.loads(capsys.readouterr().out)
    assert (said["usable"], said["source"], said["feed"]["entries"]) == (True, "Mine", 3)
    assert said["answer"]["validators"] == "honoured"
    assert said["next_poll"]["in_s"] == 3 * 3600
    assert said["next_poll"]["why"] == "the source's own `every`"
    assert site.asked == ["/mine", "/mine"]


@pytest.mark.parametrize(
    ("path", "verdict", "mend"),
    [
        ("/page", "an HTML page, not a feed; it links to these feeds: ", "watcher sources discover http://"),
        ("/wall", "403 Forbidden, a bot wall (Cloudflare: Just a moment…)", "[fetch] contact"),
        ("/softwall", "a bot wall (Cloudflare: Just a moment…), not a feed", ""),
        ("/nothing", "404 Not Found", "watcher sources discover http://"),
        ("/gone", "410 Gone", "watcher sources discover http://"),
        ("/rest", "503 Service Unavailable", "wait 2 hours"),
        ("/opml", "XML, but not a feed: its root is <opml>", "watcher sources import FILE"),
        ("/circle", "redirects in a loop", ""),
        ("/inwards", "a private address: 169.254.169.254", ""),
    ],
)
def test_what_is_no_feed_is_named_with_what_helps(path, verdict, mend, site, file, capsys):
    site.page("/page", "<html><link rel=alternate type=application/rss+xml href=/rss.xml></html>")
    site.page("/wall", "<title>Just a moment...</title>", status=403)
    site.page("/softwall", "<title>Just a moment...</title>")
    site.page("/gone", "", status=410)
    site.page("/rest", "", status=503, Retry_After="7200")
    site.feed("/opml", "<opml version='2.0'><body/></opml>")
    site.redirect("/circle", "/circle")
    site.redirect("/inwards", "http://169.254.169.254/latest")

    assert sources(file, "test", site.url(path)) == 1

    out = capsys.readouterr().out
    assert out.startswith(verdict)
    assert mend in out.rpartition("try: ")[2] if mend else "try: " not in out
    assert ("next poll   never" in out) == (path == "/gone")


def test_a_news_sitemap_without_recent_entries_is_told_from_an_empty_one(site, file, capsys):
    row = (
        "<url><loc>https://a.example/1</loc><n:news><n:publication_date>2026-11-01</n:publication_date></n:news></url>"
    )
    for rows, verdict in ((row, "it has 1 entry, all older than two days"), ("", "it is empty at the moment")):
        site.page("/", f"<urlset xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'>{rows}</urlset>")

        assert sources(file, "test", site.url("/")) == 0

        assert capsys.readouterr().out.startswith(f'OK: 0 entries of "", but {verdict}\n')


@pytest.mark.parametrize(
    ("url", "verdict", "mend"),
    [
        ("http://nowhere.invalid/feed", "the name nowhere.invalid does not resolve", "this machine is online"),
        ("http://127.0.0.1:9/feed", "a private address: 127.0.0.1", 'allow_private = ["127.0.0.1:9"]'),
        ("http://[::1]:8080/feed", "a private address: ::1", 'allow_private = ["[::1]:8080"]'),
    ],
)
def test_a_site_that_cannot_be_asked_is_named_with_what_helps(url, verdict, mend, file, capsys):
    assert sources(file, "test", url) == 1

    out = capsys.readouterr().out
    assert out.startswith(verdict)
    assert mend in out.rpartition("try: ")[2]


def test_a_port_where_nothing_listens_is_named_with_what_helps(tmp_path, capsys):
    with serving() as gone:
        place = gone.place
    path = tmp_path / "settings.toml"
    path.write_text(f"[fetch]\nallow_private = ['{place}']\n")

    assert sources(path, "test", f"http://{place}/feed") == 1

    out = capsys.readouterr().out
    assert out.startswith("connection refused")
    assert "check host and port" in out


def test_nothing_that_a_server_says_steers_the_terminal(site, file, capsys):
    site.feed("/feed", rss(title="A &#27;[2J &#155;2J"), ETag='"\x1b[2J"', Cache_Control="no-cache, \x1b]0;x\x07")
    site.page("/", front("/feed"))

    assert sources(file, "test", site.url("/feed")) == 0
    assert sources(file, "discover", site.url("/")) == 0

    out = capsys.readouterr().out
    assert 'ETag "[2J"' in out
    assert [c for c in out if not c.isprintable() and c != "\n"] == []


def test_nothing_that_is_shown_turns_the_direction_of_a_line(capsys):
    print_lines(["\u202eevil\u202c \u2066town\u2069 \u200fعنوان"])

    assert capsys.readouterr().out == "evil town \u200fعنوان\n"


def test_a_name_that_is_neither_source_nor_address_is_wrong_usage(file, capsys):
    assert sources(file, "test", "mein") == 2

    assert 'did you mean "Mine"?' in capsys.readouterr().err


def test_both_commands_work_without_settings(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("WATCHER_CONFIG", raising=False)

    assert run_command_line(["sources", "test", "nowhere.invalid"]) == 1
    assert run_command_line(["sources", "discover", "nowhere.invalid"]) == 1
    assert run_command_line(["sources", "discover", "nowhere.invalid", "--config", str(tmp_path / "none.toml")]) == 2

    out = capsys.readouterr().out
    assert out.count("the name nowhere.invalid does not resolve") == 2


def front(*paths):
    return "".join(f"<link rel=alternate type='application/rss+xml' href='{path}'>" for path in paths)


def test_the_one_feed_of_a_site_is_found_shown_and_added(site, file, capsys):
    site.page("/", front("/rss.xml"))
    site.feed("/rss.xml", rss(title="The Daily & Post"))
    before = file.read_text()

    assert sources(file, "discover", site.place) == 0
    shown = capsys.readouterr().out
    assert file.read_text() == before
    assert sources(file, "discover", site.place, "--add") == 0
    assert sources(file, "discover", site.place, "--add") == 0

    assert shown.startswith(f"1 feed at http://{site.place}\n\n{site.url('/rss.xml')}\n")
    assert "RSS 2.0, 3 entries, newest " in shown
    assert f"add it: watcher sources add {site.url('/rss.xml')} --name 'The Daily & Post' --language en" in shown
    added = load_settings_file(file).sources[1]
    assert (added.url, added.name, added.language) == (site.url("/rss.xml"), "The Daily & Post", "en")
    assert "already in the settings" in capsys.readouterr().err
    assert len(load_settings_file(file).sources) == 2


def test_of_several_feeds_none_is_added_and_the_choice_is_shown(site, file, capsys):
    site.page("/", front("/a.xml", "/b.xml", "/c.xml"))
    site.feed("/a.xml", rss(title="A"))
    site.feed("/b.xml", rss(title="B", numbers=range(20, 24)))
    before = file.read_text()

    assert sources(file, "discover", site.url("/"), "--add") == 2

    said = capsys.readouterr()
    assert [f"watcher sources add {site.url(path)}" in said.out for path in ("/a.xml", "/b.xml")] == [True, True]
    assert f"{site.url('/c.xml')}: 404 Not Found" in said.out
    assert "found 2 feeds and added none" in said.err
    assert file.read_text() == before


def test_a_feed_is_read_before_it_is_added_and_gives_name_and_language(site, file, capsys):
    site.feed("/rss.xml", rss(title="The Daily & Post"))

    assert sources(file, "add", f"{site.place}/rss.xml", "--country", "GB") == 0

    added = load_settings_file(file).sources[1]
    assert (added.url, added.name, added.language, added.country) == (
        site.url("/rss.xml"), "The Daily & Post", "en", "GB",
    )  # fmt: skip
    assert f"added The Daily & Post ({site.url('/rss.xml')})" in capsys.readouterr().out


def test_the_feed_of_a_site_is_found_and_added_and_that_of_its_comments_is_not(site, file):
    site.page("/", front("/rss.xml", "/comments/feed"))
    site.feed("/rss.xml", rss())
    site.feed("/comments/feed", rss(title="Comments", numbers=range(20, 24)))

    assert sources(file, "add", site.place, "--name", "Post") == 0

    assert [(row.url, row.name) for row in load_settings_file(file).sources[1:]] == [(site.url("/rss.xml"), "Post")]


def test_of_several_feeds_that_are_found_none_is_added_and_each_is_shown_with_its_command(site, file, capsys):
    site.page("/", front("/a.xml", "/b.xml"))
    site.feed("/a.xml", rss(title="A"))
    site.feed("/b.xml", rss(title="B", numbers=range(20, 24)))
    before = file.read_text()

    assert sources(file, "add", site.place) == 2

    said = capsys.readouterr()
    assert [f"watcher sources add {site.url(path)}" in said.out for path in ("/a.xml", "/b.xml")] == [True, True]
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("path", "words"),
    [("/gone.xml", "404 Not Found"), ("/page", "its page links to none"), ("/old.xml", "404 Not Found")],
)
def test_what_has_no_feed_is_not_added_unless_the_test_is_left_out(path, words, site, file, capsys):
    site.page("/page", "<p>Nothing.</p>")
    if path == "/old.xml":  # another feed of the site is not the one that was asked for
        site.feed("/feed", rss())
    before = file.read_text()

    assert sources(file, "add", site.url(path)) == 1
    said = capsys.readouterr().err
    assert (
        f"no feed found at {site.url(path)}: {words}" in said
        and "nothing was added (--no-test adds it without reading it)" in said
    )
    assert file.read_text() == before

    assert sources(file, "add", site.url(path), "--no-test") == 0
    assert load_settings_file(file).sources[1].url == site.url(path)


def test_a_site_without_feeds_says_where_was_looked(site, file, capsys):
    site.page("/", "<p>Nothing.</p>")

    assert sources(file, "discover", site.url("/")) == 1

    out = capsys.readouterr().out
    assert "its page links to none, and none is at a common address" in out
    assert f"{site.url('/feed')}: 404 Not Found" in out


def list_page(*titles: str) -> str:
    items = (f"<div class=news><a href='/news/{n}-of-the-town'>{title}</a></div>" for n, title in enumerate(titles))
    return f"<html lang=en><title>News of the town</title><main>{''.join(items)}</main></html>"


def test_a_page_with_too_short_a_list_says_what_was_looked_for_what_was_seen_and_how_to_name_it(site, file, capsys):
    site.page("/news", list_page("Roman coins found in the cellar", "New wing opens with old works"))

    assert sources(file, "discover", site.url("/news")) == 1

    out = capsys.readouterr().out
    assert "a list of articles: 3 elements or more with a selector in common" in out
    assert 'the longest list that was seen, "div.news > a", has 2 items: 3 are needed' in out
    assert f'[[sources]]\nurl = "{site.url("/news")}"\nitems = "div.news > a"\n' in out
    assert f"watcher sources test {site.url('/news')}" in out


def test_a_page_whose_list_a_script_writes_says_so(site, file, capsys):
    site.page("/news", "<title>News</title><div id=app></div>")

    assert sources(file, "discover", site.url("/news")) == 1

    out = capsys.readouterr().out
    assert "no list was seen on this page: it has no link to another page" in out
    assert "Watcher runs no scripts" in out and "[[sources]]" not in out


def test_a_list_that_is_added_is_not_offered_again(site, file, capsys):
    titles = ("Roman coins found in the cellar", "New wing opens with old works", "Late hours on Thursdays in winter")
    site.page("/news", list_page(*titles))

    assert sources(file, "discover", site.url("/news")) == 0
    assert "add it: repeat this with --add" in capsys.readouterr().out
    assert sources(file, "discover", site.url("/news"), "--add") == 0

    out, err = capsys.readouterr()
    assert "repeat this" not in out
    assert err.splitlines()[-1].startswith("added News of the town")


def test_a_page_that_is_no_feed_is_to_be_looked_at_itself_not_its_site(site, file, capsys):
    site.page("/news", list_page("Roman coins found in the cellar"))

    assert sources(file, "test", site.url("/news")) == 1

    assert capsys.readouterr().out.endswith(f"try: watcher sources discover {site.url('/news')}\n")


def test_what_is_found_is_given_as_json(site, file, capsys):
    site.page("/", front("/mine", "/gone.xml"))
    site.feed("/mine", rss())

    assert sources(file, "discover", site.url("/"), "--json") == 0

    said = json.loads(capsys.readouterr().out)
    assert [(feed["url"], feed["found_by"], feed["entries"], feed["source"]) for feed in said["feeds"]] == [
        (site.url("/mine"), "declared", 3, "Mine")
    ]
    assert [(other["url"], other["reason"]) for other in said["others"]] == [(site.url("/gone.xml"), "404 Not Found")]


@pytest.mark.parametrize(
    ("typed", "urls"),
    [
        ("https://a.org/x", ["https://a.org/x"]),
        (" a.org/x ", ["https://a.org/x", "http://a.org/x"]),
        ("feed:https://a.org/x", ["https://a.org/x"]),
        ("feed://a.org/x", ["https://a.org/x", "http://a.org/x"]),
        ("localhost:8080", ["http://localhost:8080", "https://localhost:8080"]),
    ],
)
def test_what_a_person_types_is_an_address(typed, urls):
    assert list(candidate_urls(typed)) == urls


@pytest.mark.parametrize(
    "typed", ["", "word", "two words.org", "ftp://a.org/", "https://", "mailto:a@b.org x", "a.org:99999"]
)
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(SettingsError, match="not the address"):
        candidate_urls(typed)


def test_lengths_and_sizes_are_told_in_the_largest_unit_that_is_nearly_right():
    assert [format_duration(s) for s in (0.2, 1, 59, 60, 3_700, 5_400, 7_199, 86_400 * 1.5, 86_400 * 3)] == [
        "0 seconds", "1 second", "59 seconds", "1 minute", "1 hour", "90 minutes", "119 minutes", "36 hours", "3 days",
    ]  # fmt: skip
    assert [format_bytes(n) for n in (1, 999, 1_000, 999_949, 999_950, 2_345_678)] == [
        "1 byte", "999 bytes", "1.0 kB", "999.9 kB", "1.0 MB", "2.3 MB",
    ]  # fmt: skip
