"""Articles of which only the headline is known, in an edition: grouped, counted apart, and never quoted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digests.edition.schedule import EditionRequest
from digests.edition.verify import verify
from digests.model.ledger import LeftOutKind
from digests.render.forms import render
from digests.settings.digests import DigestSettings
from tests.edition.factory import make_edition
from watcher.features.extract import encode, extract_features
from watcher.model import PackedFeatures
from watcher.store.articles import NewArticle, add_articles, articles_by_id
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORLD = DigestSettings.model_validate({"name": "world"}, context={})
FLOODS = (
    (
        "Flood in Orlen drives 318 people from home in Marsk. The Orlen rose at Marsk by two metres on Monday, mayor "
        "Vera Tosk said. The mill stands under water up to its roof, and the bridge over the Orlen is gone."
    ),
    (
        "Orlen flood drives 318 people of Marsk from home. Vera Tosk, the mayor, asked for sandbags against the Orlen. "
        "Water stands in the mill of Marsk, and nobody can cross where the bridge was."
    ),
)
FLOOD_HEADLINES = (
    "Orlen flood: 318 people of Marsk driven from home",
    "Flood in Marsk drives 318 from home as Orlen rises",
    "318 people driven from home by flood in Orlen and Marsk",
)
FERRY_HEADLINES = (
    "Ferry Albatross sinks off Tarvola, 31 people saved",
    "31 saved as ferry Albatross sinks off Tarvola",
    "Albatross ferry sinks off Tarvola: 31 people are saved",
)


@pytest.fixture
def press(put):
    """Two floods with texts, three by headline alone; a ferry that three outlets have by headline alone."""
    for n, text in enumerate(FLOODS):
        put(f"Herald{n}", text, NOW - (9 - n) * HOUR)
    for n, title in enumerate(FLOOD_HEADLINES):
        put(f"Echo{n}", "", NOW - (6 - n) * HOUR, title=title)
    for n, title in enumerate(FERRY_HEADLINES):
        put(f"Gull{n}", "", NOW - (5 - n) * HOUR, title=title)
    put("Gull0", "", NOW - HOUR / 2, title="Weather")


def edition_of(engine):
    request = EditionRequest(local_date=NOW.date(), window_start=NOW - DAY, window_end=NOW, slot=None)
    return make_edition(engine, WORLD, request, now=NOW)


def outlets_of(engine, shown) -> tuple[set[str], set[str]]:
    """Return the outlets of a story, and those of them with a text, as the stored articles have it."""
    articles = read(engine, articles_by_id, shown.article_ids).values()
    return {each.outlet for each in articles}, {each.outlet for each in articles if each.text}


def story_on(edition, word: str):
    (found,) = (each for each in (*edition.stories, *edition.briefs) if word in each.title)
    return found


def test_headlines_are_grouped_and_counted_apart_and_each_count_is_that_of_the_articles(engine, press):
    edition = edition_of(engine)

    flood, ferry = story_on(edition, "lood"), story_on(edition, "lbatross")
    assert (flood.outlets, flood.independent, flood.headline_only) == (5, 2, 3)
    assert (ferry.outlets, ferry.independent, ferry.headline_only) == (3, 0, 3)
    for shown in (*edition.stories, *edition.all_briefs):
        outlets, with_text = outlets_of(engine, shown)
        assert shown.outlets == len(outlets)
        assert shown.headline_only == len(outlets - with_text)
        assert shown.independent <= len(with_text)
    ledger = edition.ledger
    assert (ledger.articles, ledger.headline_only, ledger.outlets) == (8, 6, 8)
    assert [(each.kind, each.count) for each in ledger.left_out if each.kind != LeftOutKind.LOWER_RANK] == [
        (LeftOutKind.LITTLE_TEXT, 1)
    ]


def test_no_sentence_and_no_headline_is_taken_from_a_headline_where_there_is_a_text(engine, press):
    edition = edition_of(engine)

    flood = story_on(edition, "lood")
    articles = read(engine, articles_by_id, flood.article_ids)
    assert flood.summary
    assert all(articles[sentence.article_id].text for sentence in flood.quoted)
    assert next(each for each in articles.values() if each.url == flood.url).text
    assert [mention.outlet[:-1] for mention in flood.mentions] == ["Herald"] * 2 + ["Echo"] * 3
    everything = {key for shown in (*edition.stories, *edition.all_briefs) for key in shown.article_ids}
    assert verify(edition, read(engine, articles_by_id, everything)) == ()


@pytest.mark.parametrize("form", ["markdown", "html", "text"])
def test_the_forms_say_how_many_outlets_have_it_by_headline_alone(engine, press, form):
    told = " ".join(render(edition_of(engine), [form])[0].body.decode().split())

    assert "5 outlets, 2 independent, 3 by headline alone" in told
    assert "3 outlets by headline alone" in told
    assert "only the headline is known: 6." in told


def test_an_edition_of_headlines_alone_is_made(engine, put):
    for n, title in enumerate(FERRY_HEADLINES):
        put(f"Gull{n}", "", NOW - (5 - n) * HOUR, title=title)

    edition = edition_of(engine)

    shown = story_on(edition, "lbatross")
    assert (shown.outlets, shown.independent, shown.headline_only) == (3, 0, 3)


def test_a_text_that_comes_later_makes_an_outlet_independent(engine, press):
    first = edition_of(engine)
    (bare,) = (
        each
        for each in read(engine, articles_by_id, story_on(first, "lood").article_ids).values()
        if each.outlet == "Echo0"
    )
    text = (
        "Boats took 318 people from Marsk after the Orlen had broken its dam. They sleep in the school of Lunden. "
        "Vera Tosk, the mayor of Marsk, called it the worst flood in sixty years."
    )
    made = extract_features(bare.id, title=bare.title, text=text, language="en")
    arrival = NewArticle(
        article=replace(bare, text=text),
        feed_id=1,
        packed=PackedFeatures(version=made.version, payload=encode(made)),
    )

    assert write(engine, add_articles, [arrival]) == [True]
    again = edition_of(engine)

    flood = story_on(again, "lood")
    assert (flood.outlets, flood.independent, flood.headline_only) == (5, 3, 2)
    assert flood.id == story_on(first, "lood").id
