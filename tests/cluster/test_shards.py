"""Shards: languages are cut into few parts; stories of several parts are joined by a few articles of each."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.item import in_order
from digests.cluster.parts import Part
from digests.cluster.rules import Correction, rules_of
from digests.cluster.shards import MOST_SPEAKERS, shards_of, speakers
from digests.cluster.stories import grouping
from digests.sharding import window_grouping

QUAKE = {
    "en": "Earthquake of magnitude 5.4 shakes Tarvola: mayor Henrik Oster visits Marnitz, hospital evacuated, {}",
    "es": "Terremoto de magnitud 5.4 en Tarvola: Henrik Oster visita Marnitz, hospital evacuado, {}",
    "de": "Beben der Magnitude 5.4 in Tarvola: Henrik Oster besucht Marnitz, Hospital evakuiert, {}",
}
CUP = {
    "en": "Brindle club wins the Varga final against Lunden, captain Petra Moll triumphs, {}",
    "es": "El club Brindle gana la final Varga contra Lunden, la capitana Petra Moll triunfa, {}",
    "de": "Klub Brindle gewinnt das Varga-Finale gegen Lunden, Petra Moll triumphiert, {}",
}
CODES = st.sampled_from(["en", "es", "fr", "de", "ru", "sr", "zh", "und", "xx", "yy"])


@pytest.fixture
def items(item):
    return [
        item(f"{kind}-{language}-{n}", text.format(f"{kind} {n}"), language=language, hours=n)
        for kind, texts in (("quake", QUAKE), ("cup", CUP))
        for language, text in texts.items()
        for n in range(4)
    ]


def here(tasks):
    return [grouping(task.items, rules=task.rules, known=task.known, parts=task.parts) for task in tasks]


def in_shards(items, most=1, **more):
    return window_grouping(items, shards_above=most, run=here, **more)


def sets(found):
    return {frozenset(story.articles) for story in found.stories}


def of(items, *words):
    return frozenset(item.article_id for item in items if any(word in item.article_id for word in words))


def test_stories_are_joined_across_languages(items):
    each = [of(items, f"{kind}-{language}") for kind in ("quake", "cup") for language in QUAKE]
    assert sets(in_shards(items)) == {of(items, "quake"), of(items, "cup")}
    assert {s for language in QUAKE for s in sets(grouping([i for i in items if i.language == language]))} == {*each}


def test_one_language_is_grouped_as_ever(items):
    english = [item for item in items if item.language == "en"]

    assert in_shards(english) == grouping(english)


def test_a_window_that_is_small_enough_is_grouped_as_ever(items):
    assert in_shards(items, len(items)) == grouping(items)


@pytest.mark.parametrize("most", [1, 9, 16])
def test_the_order_of_arrival_changes_nothing(items, most):
    expected = in_shards(items, most)
    for seed in range(5):
        random.Random(seed).shuffle(items)

        assert in_shards(items, most) == expected


def test_each_article_is_in_one_story_under_the_id_of_its_earliest(items):
    found = in_shards(items)
    place = {item.article_id: n for n, item in enumerate(in_order(items))}

    assert sorted(a for story in found.stories for a in story.articles) == sorted(item.article_id for item in items)
    for story in found.stories:
        assert list(story.articles) == sorted(story.articles, key=place.__getitem__)
        assert sorted(a for report in story.reports for a in report.articles) == sorted(story.articles)
    assert [story.id for story in found.stories] == [story.id for story in grouping(items).stories]


def test_each_article_has_a_link_into_its_own_story(items):
    found = in_shards(items)
    story_of = {article: story.id for story in found.stories for article in story.articles}

    assert {link.article for link in found.links} == {item.article_id for item in items}
    assert all(story_of[link.article] == story_of[link.nearest] for link in found.links)


def test_what_one_shard_holds_apart_is_not_joined_by_its_speakers(items, item):
    """Two stories of one language meet only by way of another one."""
    english = [each for each in items if each.language == "en"]
    far = item("far", "Weather in the hills: rain and wind", language="es")

    found = sets(in_shards([*english, far]))

    assert found == sets(grouping(english)) | {frozenset({"far"})}


def test_a_reader_can_join_what_is_in_two_shards(items):
    rules = rules_of([Correction(kind="join", articles=("quake-en-0",), others=("cup-es-3",))])

    assert any(story >= {"quake-en-0", "cup-es-3"} for story in sets(in_shards(items, rules=rules)))


def test_a_reader_can_hold_two_shards_apart(items):
    apart = Correction(kind="split", articles=tuple(of(items, "quake-es")), others=tuple(of(items, "quake-en")))

    found = sets(in_shards(items, rules=rules_of([apart])))

    assert not any(story & of(items, "quake-es") and story & of(items, "quake-en") for story in found)


def test_copies_in_two_languages_are_one_report(item):
    """A language that is told wrongly is in another shard."""
    text = (
        "The ground shook for half a minute at dawn, and the old market hall of Tarvola fell in on its empty stalls. "
        "Most people were asleep in the upper town, where the houses are of wood and only chimneys came down. "
        "Soldiers dug with their hands until the machines arrived from the coast in the early afternoon."
    )
    first, second = (item(code, "The hall of Tarvola falls in", text, language=code) for code in ("hr", "xx"))

    (story,) = in_shards([first, second]).stories

    assert [sorted(report.articles) for report in story.reports] == [["hr", "xx"]]


def test_round_ups_speak_for_nothing_and_stay_alone(items, item):
    summary = item("all", QUAKE["en"].format("and all else"), language="fr", kind="roundup")

    assert frozenset({"all"}) in sets(in_shards([*items, summary]))


def test_a_live_blog_joins_a_story_in_another_language(items, item):
    blog = item("blog", QUAKE["es"].format("en directo"), language="es", kind="live")
    others = [each for each in items if each.language == "en"]

    assert of(items, "quake-en") | {"blog"} in sets(in_shards([*others, blog]))


def test_few_articles_speak_for_a_story_over_all_its_time(item):
    many = [item(f"a{n}", QUAKE["en"].format(f"part {n}"), hours=n) for n in range(20)]
    shard = grouping(many)

    found = speakers([shard], {each.article_id: each for each in many}, most=100)

    assert len(shard.stories) == 1
    assert len(found) == MOST_SPEAKERS
    assert {"a0", "a19"} <= found.keys()
    assert set(found.values()) == {Part(0, 0)}


def test_where_too_many_would_speak_the_larger_and_the_later_do(item):
    quake = [item(f"q{n}", QUAKE["en"].format(f"part {n}"), hours=n) for n in range(3)]
    alone = [item(name, title, hours=hours) for name, title, hours in [("old", "Snow", 1), ("new", "Harvest", 9)]]
    shard = grouping([*quake, *alone])

    found = speakers([shard], {each.article_id: each for each in [*quake, *alone]}, most=4)

    assert sorted(found) == ["new", "q0", "q1", "q2"]


@given(st.dictionaries(CODES, st.integers(1, 100)), st.integers(1, 300))
def test_each_language_is_in_one_shard_that_is_too_large_only_by_itself(counts, most):
    found = shards_of(counts, most)

    assert sorted(language for shard in found for language in shard) == sorted(counts)
    assert all(sum(counts[language] for language in shard) <= most or len(shard) == 1 for shard in found)
    assert shards_of(dict(reversed(counts.items())), most) == found


def test_a_family_is_kept_together_where_there_is_room():
    counts = {"en": 50, "es": 20, "pt": 10, "ru": 25, "uk": 6}

    assert shards_of(counts, 50) == (("en",), ("ru", "uk"), ("es", "pt"))
    assert shards_of(counts, 25) == (("en",), ("ru",), ("es",), ("pt", "uk"))
