"""`watcher explain ARTICLE` and `watcher digest --left-out`: why something is not in an edition."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from digests.edition.left_out import shown_articles
from digests.edition.schedule import EditionRequest
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY
from digests.stories.follows import set_followed
from digests.stories.window import cluster_and_save
from tests.edition.factory import make_edition
from tests.kinds import on
from watcher.failure_messages import FetchKind, Reason
from watcher.model import Source
from watcher.store.feeds import sync_sources
from watcher.store.schema import feeds, pages
from watcher.store.writer import write
from watcher.text.urls import article_id

MORNING = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVENTS = [
    "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, {} reported on Monday.",
    "Brindle wins the Varga cup. The chess club of Brindle won the Varga cup in Lunden, {} reported on Monday.",
    "Ferry sinks off Ostrand. The ferry Alma sank in a storm off Ostrand with nobody on board, {} reported on Monday.",
    "Teachers of Kelmar strike. Teachers in Kelmar went on strike for higher wages, {} reported on Monday.",
]
SETTINGS = """
[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "none"
[[digests]]
name = "world"
stories = 1
briefs = 1
[[digests.mute]]
words = ["lottery*"]
"""
WORLD = DigestSettings.model_validate(
    {"name": "world", "stories": 1, "briefs": 1, "mute": [{"words": ["lottery*"]}]}, context={}
)
pytestmark = pytest.mark.slow  # together they take some seconds


@pytest.fixture
def press(put, watcher, store_url, tmp_path):
    """The reports of four events by three outlets, two, two and one; and articles that take part in no edition."""
    (tmp_path / "settings.toml").write_text(on(store_url, SETTINGS))
    outlets = ["Alpha", "Beta", "Gamma"]
    for event, count in zip(EVENTS, (3, 2, 2, 1), strict=True):
        for name in outlets[:count]:
            put(f"{name}{EVENTS.index(event)}", event.format(name), MORNING - 3 * HOUR)
    return {
        "muted": put("Delta", "Lottery numbers of the week. Nobody has won the prize of the week.", MORNING - HOUR),
        "round-up": put("Delta", "The day in brief. All that happened today.", MORNING - 2 * HOUR, kind="live"),
        "later": put("Delta", "Harbour opens again. The harbour of Lunden opened again.", MORNING + HOUR),
        "old": put("Delta", "Harbour is closed. The harbour of Lunden was closed by ice.", MORNING - 3 * DAY),
        "late": put("Epsilon", EVENTS[0].format("Epsilon"), MORNING - HOUR, MORNING + HOUR),
    }


def edition(engine):
    order = EditionRequest(local_date=date(2026, 11, 24), window_start=MORNING - DAY, window_end=MORNING, slot=DAILY)
    return make_edition(engine, WORLD, order, now=MORNING)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("muted", 'not shown: the mute rule "lottery*" leaves it out'),
        ("round-up", "not shown: it is a live blog or a round-up, on many events"),
        ("later", "not shown: it was published after the time that the edition covers (2026-11-23 06:30 to 2026-11-24"),
        ("old", "not shown: it was published before the time that the edition covers"),
        ("late", "not shown: it came in at 2026-11-24 07:30 UTC, after the edition was made"),
    ],
)
def test_an_article_says_why_it_is_not_in_the_edition(press, watcher, engine, name, why):
    edition(engine)

    code, out, _ = watcher("explain", press[name].url)

    assert code == 0
    assert f"World Digest no. 1, 2026-11-24: {why}" in out


def test_an_article_of_a_story_that_ranked_lower_says_its_place(press, watcher, engine):
    made = edition(engine)
    shown = {key for each in (*made.stories, *made.briefs) for key in each.article_ids}

    lines = {name: watcher("explain", f"{name}-240330")[1] for name in ("alpha0", "alpha1", "alpha2", "alpha3")}

    assert "shown in full, as number 1" in lines["alpha0"]
    lower = {name: out for name, out in lines.items() if f"{name}-240330" not in shown}
    assert len(lower) == 2
    last = "its story is number 4 of 4 by its score, for 1 place in full and 1 in one line; one outlet alone reports it"
    assert last in lower["alpha3"]
    (third,) = (out for name, out in lower.items() if name != "alpha3")
    assert "its story is number 3 of 4 by its score" in third and "other stories ranked higher" in third


def test_an_article_of_a_part_of_a_story_has_the_place_of_that_part(press, engine):
    made = edition(engine)
    (whole,) = made.stories
    part = replace(whole, id=f"2-{whole.id}", number=2, article_ids=("of-part",))

    section = replace(made.sections[0], stories=(whole, part))
    places = shown_articles(replace(made, sections=(section,)))

    assert places["of-part"] == "in full, as number 2"
    assert places[whole.article_ids[0]] == "in full, as number 1"


def test_the_list_has_all_that_the_ledger_counts(press, watcher, engine):
    made = edition(engine)

    code, out, _ = watcher("digest", "--left-out")
    found = json.loads(watcher("digest", "--left-out", "--json")[1])[0]

    assert code == 0
    counts = {str(row.kind): row.count for row in made.ledger.left_out}
    for kind in ("single_outlet", "lower_rank"):
        assert sum(story["kind"] == kind for story in found["stories"]) == counts[kind] == 1
    for kind in ("muted", "collection"):
        assert [article["kind"] for article in found["articles"]].count(kind) == counts[kind] == 1
    assert "articles muted by the settings: lottery* (1)\n  Delta: Lottery numbers of the week" in out
    assert "   4. Teachers of Kelmar strike (1 outlet)" in out


def rewrite_settings(tmp_path, store_url, old, new):
    (tmp_path / "settings.toml").write_text(on(store_url, SETTINGS.replace(old, new)))


def test_an_article_that_is_muted_says_so_beside_where_its_story_is_shown(press, watcher, engine, store_url, tmp_path):
    rule = '[[digests.mute]]\nwords = ["gamma"]\nin = "both"\n'
    rewrite_settings(tmp_path, store_url, "[[digests.mute]]", f"{rule}[[digests.mute]]")
    order = EditionRequest(local_date=date(2026, 11, 24), window_start=MORNING - DAY, window_end=MORNING, slot=DAILY)
    mute = {"words": ["gamma"], "in": "both"}
    muting = DigestSettings.model_validate({"name": "world", "mute": [mute]}, context={})
    make_edition(engine, muting, order, now=MORNING)

    out = watcher("explain", "gamma0-240330")[1]

    assert re.search(r'story is shown in full, as number \d, without this article: the mute rule "gamma"', out)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"words": ["quake*"]},
         'as number 1, in a story that you follow, so it is there although the mute rule "quake*" matches it\n'),
        ({"sources": ["Alpha0"]},
         'you follow is shown in full, as number 1, without this article: the mute rule "Alpha0" leaves it out\n'),
    ],
)  # fmt: skip
def test_an_article_of_a_followed_story_says_that_it_is_followed_and_what_mutes_it(
    press, watcher, engine, store_url, tmp_path, rule, said
):
    stories = cluster_and_save(engine, start=MORNING - DAY, end=MORNING, now=MORNING).stories
    story = next(story.id for story in stories if "alpha0-240330" in story.articles)
    write(engine, set_followed, story, followed=True, now=MORNING - 5 * HOUR)
    ((key, names),) = rule.items()
    source = '[[sources]]\nurl = "https://alpha0.example/feed"\nname = "Alpha0"\n'
    rewrite_settings(
        tmp_path, store_url, '["lottery*"]\n', f'["lottery*"]\n[[digests.mute]]\n{key} = {names}\n{source}'
    )
    order = EditionRequest(local_date=date(2026, 11, 24), window_start=MORNING - DAY, window_end=MORNING, slot=DAILY)
    muting = DigestSettings.model_validate({"name": "world", "mute": [rule]}, context={})
    make_edition(engine, muting, order, now=MORNING)

    assert said in watcher("explain", "alpha0-240330")[1]


def test_what_an_edition_shows_is_not_left_out_of_it_by_a_rule_that_is_newer(
    press, watcher, engine, store_url, tmp_path
):
    edition(engine)
    rewrite_settings(tmp_path, store_url, '"lottery*"', '"lottery*", "quake*"')

    said = 'as number 1; the mute rule "lottery* / quake*" leaves it out, but the edition is older than this rule'
    assert said in watcher("explain", "alpha0-240330")[1]
    left_out = json.loads(watcher("digest", "--left-out", "--json")[1])[0]
    assert [each["title"] for each in left_out["articles"] if each["kind"] == "muted"] == [
        "Lottery numbers of the week"
    ]


def test_a_story_without_a_word_of_only_says_so(press, watcher, engine, store_url, tmp_path):
    rewrite_settings(tmp_path, store_url, "[[digests.mute]]", 'only = ["ferry"]\n[[digests.mute]]')
    order = EditionRequest(local_date=date(2026, 11, 24), window_start=MORNING - DAY, window_end=MORNING, slot=DAILY)
    make_edition(engine, DigestSettings.model_validate({"name": "world", "only": ["ferry"]}), order, now=MORNING)

    out = watcher("explain", "alpha0-240330")[1]

    assert "not shown: its story has none of the words of the digest's `only`\n" in out


def test_the_list_of_what_is_left_out_makes_no_edition(press, watcher, engine):
    assert "no edition of world is stored" in watcher("digest", "--left-out")[2]
    edition(engine)

    watcher("digest", "--left-out")

    assert watcher("story", "list")[1].startswith("World Digest no. 1, ")
    assert watcher("digest", "--left-out", "--send")[0] == 2


def test_a_page_that_could_not_be_fetched_says_why(press, watcher, engine):
    url = "https://alpha0.example/lost"
    entry = {"key": "lost", "title": "Lost", "link": url}
    source = Source(name="Alpha0", url="https://alpha0.example/feed")

    def add(connection):
        sync_sources(connection, [source], now=MORNING)
        feed_id = connection.scalars(select(feeds.c.id)).one()
        row = {"article_id": article_id(url), "feed_id": feed_id, "url": url, "host": "alpha0.example", "entry": entry}
        row |= {"added_at": MORNING, "tries": 3, "reason": Reason(FetchKind.TIMED_OUT, time=10)}
        connection.execute(pages.insert().values(**row))

    write(engine, add)

    code, out, _ = watcher("explain", url)

    assert code == 0
    assert f"{url} is listed by Alpha0" in out
    assert json.loads(watcher("explain", url, "--json")[1])["reason"] == "no response within 10 s"
    assert "no response within 10 s (3 tries, given up)" in out


@pytest.mark.parametrize(("wanted", "kind"), [("0a73c1", "id"), ("https://alfa.example/none", "address")])
def test_what_is_neither_article_nor_story_is_answered_with_what_can_be_explained(watcher, press, wanted, kind):
    code, _, err = watcher("explain", wanted)

    assert code == 1
    assert f"nothing in the store has the {kind} '{wanted}': expected the id or address of an article" in err
    assert "try: watcher search WORDS finds articles and the ids of their stories" in err
