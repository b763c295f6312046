"""Who reports a claim: the four answers, and the error instead of "not in your sources"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import insert

from digests.errors import DigestError
from digests.store.schema import story_articles
from digests.stories.claims import check_claim
from digests.stories.meaning import MeaningSearch
from digests.stories.window import cluster_and_save
from watcher.model import Source
from watcher.settings.models import SemanticSettings, Settings
from watcher.store.articles import compress
from watcher.store.feeds import sync_sources
from watcher.store.schema import revisions
from watcher.store.search import rebuild_index
from watcher.store.writer import read, write

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
QUAKE = "Quake kills 12 in Tarvola. A quake of magnitude 5.4 killed 12 people in Tarvola, mayor Henrik Oster said. {}"
OTHER = (
    "Twelve dead after quake in Tarvola. Rescue teams in Tarvola found 12 dead after the quake, the mayor Henrik Oster "
    "told our reporter, and the bridge over the Dressel is closed until engineers have looked at it."
)
LATER = (
    "Tarvola quake: 15 people dead. The quake in Tarvola killed 15 people, more than was known in the morning, the "
    "hospital of Lunden said on Tuesday, where forty of the injured were brought."
)
SCHOOL = "School of Tarvola opens again. The school of Tarvola opens on Monday, a week after the quake, a teacher said."
CLAIM = "Quake kills 12 people in Tarvola"
CHESS = "Chess club of Brindle wins the Varga cup. The club of Brindle won the Varga cup, captain Petra Moll said."


@pytest.fixture
def press(engine, put):
    """A store with two texts on a quake, one of them printed twice, a later one, and one that is apart."""
    put("Alpha", QUAKE.format("Nobody is missing."), NOW - 6 * HOUR)
    put("Beta", QUAKE.format("Nobody is missing."), NOW - 5 * HOUR, country="IE")
    put("Gamma", OTHER, NOW - 4 * HOUR, country="FR")
    put("Delta", LATER, NOW - 2 * HOUR)
    put("Epsilon", CHESS, NOW - HOUR)
    cluster_and_save(engine, start=NOW - WEEK, end=NOW, now=NOW)
    return engine


def ask(engine, claim: str, **given):
    meaning = MeaningSearch(Settings(semantic=SemanticSettings(embedder="none")))
    return read(engine, partial(check_claim, text=claim, meaning=meaning, since=NOW - WEEK, until=NOW, **given))


def test_a_claim_that_two_texts_have_is_reported_by_two_and_a_copy_does_not_count(press):
    answer = ask(press, "Quake kills 12 people in Tarvola")

    assert (answer.answer, answer.independent) == ("reported", 2)
    assert answer.description == "reported by 2 independently"
    assert {each.article.outlet for each in answer.stories[0].agreeing} == {"Alpha", "Beta", "Gamma"}
    assert answer.stories[0].first.outlet == "Alpha"
    (later,) = [each for each in answer.stories[0].others if each.article.outlet == "Delta"]
    assert [(each.kind, each.claim, each.report) for each in later.differences] == [("figure", "12", "15")]


def test_a_report_that_is_hidden_does_not_count(press):
    hidden = {f"{name}-{at:%d%H%M}" for name, at in (("gamma", NOW - 4 * HOUR), ("beta", NOW - 5 * HOUR))}

    assert ask(press, "Quake kills 12 people in Tarvola", hidden=hidden).answer == "by_one"


@pytest.mark.parametrize(
    "claim",
    [
        "Quake kills 40 people in Tarvola",
        "Quake kills 12 people in Aurelia, mayor Henrik Oster says",
        "Quake does not kill people in Tarvola",
    ],
)
def test_a_claim_with_another_figure_name_or_negation_is_reported_otherwise(press, claim):
    answer = ask(press, claim)

    assert (answer.answer, answer.independent) == ("otherwise", 0)
    assert any(each.differences for each in answer.stories[0].others)


def test_a_claim_of_another_event_is_not_in_the_sources_and_those_read_are_counted(press):
    answer = ask(press, "Volcano on Hrafnfell closes airports")

    assert answer.answer == "not_in_your_sources"
    assert answer.sources.description == "5 outlets of 3 countries"


def test_a_claim_without_a_report_is_an_error_while_articles_are_not_indexed(press):
    write(press, rebuild_index)

    with pytest.raises(DigestError, match="articles are not indexed yet"):
        ask(press, "Volcano on Hrafnfell closes airports")


def test_a_claim_without_a_report_is_an_error_if_sources_were_not_read(press):
    sources = [Source(name=f"S{n}", url=f"https://s{n}.example/feed") for n in range(5)]
    write(press, sync_sources, sources, now=NOW)

    with pytest.raises(DigestError, match="only 5 of 10 outlets could be read"):
        ask(press, "Volcano on Hrafnfell closes airports")
    assert ask(press, "Quake kills 12 people in Tarvola").sources.unread == ("S0", "S1", "S2", "S3", "S4")


def test_what_an_outlet_changed_since_is_told(press):
    row = {"article_id": f"alpha-{NOW - 6 * HOUR:%d%H%M}", "at": NOW, "kind": "changed", "title": "Quake kills 17"}
    write(press, lambda connection: connection.execute(insert(revisions), row | {"text": compress("It was wrong.")}))

    (correction,) = ask(press, "Quake kills 12 people in Tarvola").stories[0].corrections

    assert (correction.kind, correction.after) == ("headline", "Quake kills 17")


def test_a_claim_without_words_is_an_error(press):
    with pytest.raises(DigestError, match="no word to look for"):
        ask(press, "12 – ?")


def test_a_report_on_a_neighbouring_event_in_the_same_story_is_left_out(press, put):
    school = put("Zeta", SCHOOL, NOW - 2 * HOUR)
    story = ask(press, CLAIM).stories[0].id
    member = {"article_id": school.id, "story_id": story, "report": school.id}
    write(press, lambda connection: connection.execute(insert(story_articles), member))

    (found,) = ask(press, CLAIM).stories

    assert {each.article.outlet for each in (*found.agreeing, *found.others)} == {"Alpha", "Beta", "Gamma", "Delta"}


def test_a_claim_in_the_words_of_one_report_finds_the_other_reports_of_its_event(engine, put):
    contract = "The {} of Lunden and Varga signed a contract in Oslo"
    bodies = {
        "Alpha": f"Ferry line between Lunden and Varga opens in May. {contract.format('ports')}.",
        "Beta": f"Ports of Lunden and Varga sign contract. {contract.format('harbours')}, and a ship will "
        "leave every day.",
        "Gamma": f"Lunden and Varga get a ship. {contract.format('towns')}; harbour master Ola Brekk was there, "
        "and a ship will leave every day.",
    }
    for number, (outlet, body) in enumerate(bodies.items()):
        put(outlet, body, NOW - (6 - number) * HOUR)
    put("Epsilon", CHESS, NOW - HOUR)
    cluster_and_save(engine, start=NOW - WEEK, end=NOW, now=NOW)

    answer = ask(engine, "Ferry line between Lunden and Varga opens in May")

    assert {each.article.outlet for each in answer.stories[0].agreeing} == set(bodies)
