"""Verdicts: each rule that may keep two articles apart is named when it does."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.constraints import UserCorrection, resolve_corrections
from digests.cluster.explain import (
    MIN_WEIGHT,
    SUBJECTS,
    CopyDifference,
    SurfaceForms,
    collect_evidence,
    describe_common_ground,
    describe_copy,
    describe_decision,
    describe_differences,
    diff_copies,
    explain_pair,
    weigh_evidence,
)
from digests.cluster.item import sort_by_time
from digests.cluster.likeness import measure_pairs
from digests.cluster.pair_model import load_models, models_for, read_weights
from digests.cluster.stories import cluster_stories
from digests.cluster.telling_keys import TellingKeys
from digests.model.story import WireGroup
from watcher.features.embedders import with_vector

QUAKE = "A quake of magnitude 5.4 shook {}. Mayor {} said that {} houses fell, and rescuers had reached the valley."


def decide(items, a, b, corrections=()):
    found = cluster_stories(items, rules=resolve_corrections(corrections))
    stories = {article: story.id for story in found for article in story.articles}
    reports = {article: r.origin for story in found for r in story.wire_groups for article in r.articles}
    return explain_pair(a, b, sort_by_time(items), stories=stories, reports=reports, corrections=corrections)


@pytest.fixture
def tarvola(item):
    return [
        item(f"t{n}", f"Quake shakes Tarvola, report {n}", f"{QUAKE.format('Tarvola', 'Oster', 212)} {n}", hours=n)
        for n in range(4)
    ]


def test_articles_of_one_story_are_said_to_be(tarvola):
    assert decide(tarvola, "t0", "t3").kind in ("same report", "same story")


def test_a_correction_is_named(tarvola):
    corrections = [UserCorrection(kind="split", articles=("t3",), others=("t0", "t1", "t2"))]

    assert decide(tarvola, "t0", "t3", corrections).kind == "ruled"


def test_a_live_blog_that_stands_alone_is_said_to_be_one(item, tarvola):
    live = item("live", "Live: all the news of the day", "A goat stood on the rails at Kilbrannan.", kind="live")

    assert decide([*tarvola, live], "t0", "live").kind == "silent"


def test_what_is_too_far_in_time_is_said_to_be(item, tarvola):
    late = item("late", "Tarvola trembles again", "In Tarvola the earth shook, Oster told our reporter.", hours=200)

    found = decide([*tarvola, late], "t0", "late")

    assert found.kind == "too far in time"
    assert "5 days without a report" in describe_decision(found)


def test_the_score_of_two_is_given_where_it_is_too_low(item, tarvola):
    other = item("other", "Brindle wins the Varga cup", "The chess club of Brindle won in Lunden, Petra Moll said.")

    found = decide([*tarvola, other], "t0", "other")

    assert found.kind == "below"
    assert f"the probability that they are on one event is {found.score:.2f}" in describe_decision(found)
    assert found.score < found.threshold


def test_names_and_numbers_are_spelt_as_in_the_texts(item):
    a = item(
        "a", "Quake shakes Tarvola", "A quake of 5.4 shook Tarvola, said Mayor Oster of the Dressel valley council."
    )
    b = item(
        "b", "Tarvola trembles", "In Tarvola a quake of 5.4 shook houses, said Mayor Brandt of the valley council."
    )
    found = decide([a, b], "a", "b")
    spelling = SurfaceForms(
        [("A quake of 5.4 shook Tarvola, said Mayor Oster of the Dressel valley council.", "en"),
         ("In Tarvola a quake of 5.4 shook houses, said Mayor Brandt of the valley council.", "en")]
    )  # fmt: skip

    told = [*describe_common_ground(found.evidence, spelling), *describe_differences(found.evidence, spelling)]

    assert "names in both: Tarvola" in told
    assert "numbers in both: 5.4" in told
    assert "names or numbers only in the first: Oster, Dressel" in told
    assert "names or numbers only in the second: Brandt" in told
    assert any(line.startswith("words in both: ") and "quake" in line and "valley" in line for line in told)


def test_a_name_that_the_other_article_has_as_a_word_is_not_in_one_of_them_only(item):
    a = item("a", "Army goes to Valencia", "The floods in Spain hit Valencia and Utiel, and an army helped in Spain.")
    b = item("b", "Spain deploys army after floods", "Spain sends soldiers after the floods in the east.")

    evidence = collect_evidence(a, b)

    assert "spain" in evidence.terms and "spain" not in b.features.names
    assert evidence.only_a == ("valencia", "utiel")


def vector(*values):
    row = np.array(values, np.float32)
    return (row / np.linalg.norm(row)).astype("<f2").tobytes()


def test_evidence_names_what_both_articles_have_and_what_one_lacks(item):
    a = item("a", "Quake of 5.4 shakes Tarvola", "The mayor Henrik Oster spoke in Tarvola of 1,200 houses.")
    b = item("b", "Houses fall in a quake", "In Tarvola a mayor spoke of 1200 houses. Then Lucía Arenas came.", hours=3)

    found = collect_evidence(a, b)

    assert found.names == ("tarvola",)
    assert found.numbers == ("1200",)
    assert {"quake", "houses"[:6]} <= set(found.terms)
    assert found.hours_apart == 3.0
    assert found.only_a == ("henrik", "oster", "5.4")
    assert found.only_b == ("lucia", "arenas")
    assert found.vector is None


def test_days_titles_years_and_round_numbers_are_no_evidence(item):
    a = item("a", "Vote", "On Sunday the President, Ana Rell, named 200 towns and 3187 houses in 2026, not 24.")
    b = item("b", "Choice", "Then President Rell said on Sunday that of 200 towns in 2026, 24 had 3187 houses.")

    found = collect_evidence(a, b)

    assert found.names == ("rell",)
    assert found.numbers == ("3187",)
    assert not {"sunday", "presid", "said"} & set(found.terms)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        (
            "en",
            "Whether the mill can be kept, they could not yet say.",
            "They did not say whether it could be kept yet.",
        ),
        (
            "de",
            "Wegen des Sturms wurden am Sonntag rund 40 Bäume zufolge.",
            "Am Sonntag wurden zufolge rund 40, wegen Eis.",
        ),
        (
            "fr",
            "Depuis dimanche, selon lui, plusieurs cents ont dit oui.",
            "Selon elle, dimanche, plusieurs depuis ont dit.",
        ),
    ],
)
def test_function_words_are_no_shared_words(item, language, one, other):
    found = collect_evidence(item("a", "", one, language=language), item("b", "", other, language=language))

    assert set(found.terms) <= {"mill", "kept"}


def test_common_nouns_of_german_texts_are_no_names_but_shared_words(item):
    a = item(
        "a", "", "Ein schweres Erdbeben hat in Tarvola laut Bürgermeister Oster eine Brücke zerstört.", language="de"
    )
    b = item("b", "", "Nach dem Erdbeben in Tarvola ist die Brücke fort, sagte Oster der Zeitung.", language="de")
    english = item("c", "", "The quake in Tarvola took a bridge, Henrik Oster said to us.")
    other = item("d", "", "Rain fell on Tarvola, and on Oster.")

    assert collect_evidence(a, b).names == ()
    assert {"erdbeb", "brucke", "tarvol"} <= set(collect_evidence(a, b).terms)
    assert collect_evidence(a, b, TellingKeys([other])).names == ("tarvola", "oster")
    assert collect_evidence(a, english).names == ("tarvola", "oster")
    assert collect_evidence(a, english).only_a == ()
    assert collect_evidence(a, english).only_b == ("henrik",)


def test_what_many_other_articles_have_is_no_evidence(item):
    a = item("a", "", "A goat stood in Lunden on the rails, said Vera Tosk.")
    b = item("b", "", "The rails of Lunden had a goat on them, Vera Tosk said.")
    others = [item(f"o{n}", "", f"The council of Lunden mended the rails again, {n} metres.") for n in range(20)]

    found = collect_evidence(a, b, TellingKeys(others))

    assert found.names == ("vera", "tosk")
    assert "goat" in found.terms and "rails" not in found.terms


def test_what_spoke_for_one_event_and_against_it_is_told_first(item, tarvola):
    late = item("late", "Tarvola mends 31 roofs after the quake", QUAKE.format("Tarvola", "Oster", 31), hours=90)
    found = decide([*tarvola, late, item("other", "Brindle wins the Varga cup")], "t0", "late")

    told = list(describe_common_ground(found.evidence, SurfaceForms([])))

    decided = dict(found.evidence.decided)
    assert decided["how many names they share"] > 0 > decided["the time between them"]
    assert list(decided.values()) == sorted(decided.values(), key=abs, reverse=True)
    assert told[0].startswith("what spoke for one event: ")
    assert told[1].startswith("what spoke against it: ")
    assert f"the time between them ({decided['the time between them']:+.1f})" in told[1]


def test_what_spoke_is_what_a_pair_has_beyond_the_usual_in_log_odds(tarvola, item):
    items = sort_by_time([*tarvola, item("other", "Brindle wins the Varga cup")])
    pairs, answer = measure_pairs(items), models_for(items).event
    model = answer.without_vectors
    a, b = (n for n, each in enumerate(items) if each.article_id in ("t0", "t1"))
    one = pairs.select(np.flatnonzero((pairs.first == a) & (pairs.second == b)))
    usual = replace(one, likenesses={name: model.means[[n]] for n, name in enumerate(model.likenesses)})

    decided = weigh_evidence(pairs, answer, a, b)

    odds = [math.log(p / (1 - p)) for p in (model.probabilities(one)[0], model.probabilities(usual)[0])]
    assert sum(value for _, value in decided) == pytest.approx(odds[0] - odds[1], abs=MIN_WEIGHT * len(SUBJECTS))
    assert weigh_evidence(pairs, answer, b, a) == decided


def test_of_two_articles_that_were_not_compared_nothing_spoke(tarvola, item):
    items = sort_by_time([*tarvola, item("late", "Tarvola trembles again", hours=400)])

    assert weigh_evidence(measure_pairs(items), models_for(items).event, 0, 4) == ()


def test_every_likeness_of_every_model_has_words():
    for embedder in read_weights():
        models = load_models(embedder)
        for model in (models.event.with_vectors, models.event.without_vectors):
            assert all(any(name.startswith(start) for start in SUBJECTS) for name in model.likenesses)


def test_meaning_is_told_where_it_decided(item):
    texts = ("Quake shakes the port of Tarvola", "Ships lie in the mud after the tremor", "Chess cup goes to Brindle")
    rows = [item(key, text) for key, text in zip("abc", texts, strict=True)]
    vectors = (vector(1, 0, 0), vector(0.9, 0.1, 0), vector(0, 0, 1))
    rows = [
        replace(row, features=with_vector(row.features, each, "one/1")) for row, each in zip(rows, vectors, strict=True)
    ]

    name, value = decide(rows, "a", "b").evidence.decided[0]

    assert name == "their meaning"
    assert value > 0


def test_evidence_is_the_same_from_either_side(item):
    a = item("a", "Quake in Tarvola", "At dawn Henrik Oster met Anna Bell in Tarvola with 300 others and 4000 more.")
    b = item("b", "Tarvola quake", "With 4000 others and 300 more Anna Bell met the mayor, Henrik Oster, in Tarvola.")

    there, back = collect_evidence(a, b), collect_evidence(b, a)

    assert replace(back, only_a=back.only_b, only_b=back.only_a) == there


def test_terms_of_two_languages_are_no_evidence(item):
    a, b = item("a", "Chaos in Berlin", "The hotel"), item("b", "Chaos in Berlin", "Das Hotel", language="de")

    assert collect_evidence(a, b).terms == ()
    assert not collect_evidence(a, b).same_language


def test_a_vector_score_needs_vectors_of_one_embedder(item):
    a, b = item("a", "Quake in Tarvola"), item("b", "Chess cup is won", hours=None)
    a = replace(a, features=with_vector(a.features, vector(1, 0), "one/1"))
    same = replace(b, features=with_vector(b.features, vector(1, 1), "one/1"))
    other = replace(b, features=with_vector(b.features, vector(1, 1), "two/1"))

    assert collect_evidence(a, same).vector == 0.707
    assert collect_evidence(a, other).vector is None
    assert collect_evidence(a, same).hours_apart is None


def test_wording_is_the_share_of_the_shorter_text(item):
    text = " ".join(f"word{n}" for n in range(40))
    a, b = item("a", "One", text), item("b", "Two", text + " and then some other words that follow it to the end")

    assert collect_evidence(a, b).wording == 1.0
    assert collect_evidence(a, item("c", "Three", "nothing of that stands in here at all")).wording == 0.0


TITLE = "Crane falls on ferries in Lindhaven"
SENTENCES = (
    "The harbour authority of Lindhaven closed its quay on Monday after a crane fell across two moored ferries.",
    "Nobody was hurt, a spokeswoman said, and divers will look at both hulls before the evening tide.",
    "Traffic to the outer islands goes through the old port until the weekend, with fewer sailings at dawn.",
    "The crane had been inspected in January and no fault was noted, according to the log of the operator.",
    "Two of its four legs gave way while it was being moved along the rails to make room for more steel.",
)
WHOLE = "\n".join(SENTENCES)
OWN = "Here in Norderwisch the harbour master has had every crane looked at since, and found a loose bolt in one."


@dataclass(frozen=True)
class Told:
    title: str
    text: str
    language: str = "en"


def text(*sentences):
    return "\n".join(sentences)


def differs(title, body, *, origin=WHOLE, language="en"):
    told = {"a": Told(TITLE, origin, language), "b": Told(title, body, language)}
    (found,) = diff_copies(WireGroup(articles=("a", "b")), told)
    return found


@pytest.mark.parametrize(
    ("title", "body", "words"),
    [
        (TITLE, WHOLE, "full text"),
        (TITLE.upper(), " ".join(SENTENCES), "full text"),
        (TITLE, f"LINDHAVEN (dpa) - {WHOLE}\n(Mit Material der dpa)", "full text"),
        ("Port shut", WHOLE, "full text, different headline"),
        (TITLE, text(*SENTENCES[:3]), "cut to 55 %"),
        (TITLE, text(*SENTENCES[2:]), "cut to 60 %"),
        (TITLE, WHOLE.replace("closed its quay", "shut its pier").replace("hurt", "injured"), "edited"),
        (TITLE, text(OWN, WHOLE), "20 % added"),
        ("Port shut", text(OWN, *SENTENCES[:2]), "cut to 40 %, 35 % added, different headline"),
        (TITLE, "", "headline only"),
        ("Port shut", OWN, "rewritten, different headline"),
        (TITLE, "The harbour authority of Lindhaven closed its quay …", "cut to 10 %"),
    ],
)
def test_what_was_done_to_a_copy_is_said(title, body, words):
    assert describe_copy(differs(title, body)) == words


def test_a_copy_in_a_script_without_spaces_is_compared_too():
    one = "港湾局は月曜日、クレーンがフェリー二隻の上に倒れたため埠頭を閉鎖した。"
    two = "けが人はいないと広報担当者は話している。離島への便は旧港から出る。"

    assert describe_copy(differs(TITLE, one, origin=one + two, language="ja")) == "cut to 50 %"


def test_of_a_text_of_thousands_of_sentences_the_first_thousand_are_compared():
    words, own = ([f"{letter}{number}." for number in range(2_000)] for letter in "ab")

    assert differs(TITLE, text(*words, *own), origin=text(*words)).added == 0
    assert differs(TITLE, text(*words[:900], *own[:100]), origin=text(*words)).added == 0.1


def test_two_headlines_without_a_text_are_the_same():
    assert describe_copy(differs(TITLE, "", origin="")) == "full text"


def test_articles_that_are_not_at_hand_are_left_out():
    told = {"a": Told(TITLE, SENTENCES[0]), "c": Told(TITLE, SENTENCES[0])}

    assert [copy.article_id for copy in diff_copies(WireGroup(articles=("a", "b", "c")), told)] == ["c"]
    assert diff_copies(WireGroup(articles=("b", "a", "c")), told) == ()


@given(st.lists(st.sampled_from([*SENTENCES, OWN, "", "…", "“", "ab"]), max_size=9), st.text(max_size=200))
@pytest.mark.slow
def test_the_shares_of_any_text_are_shares(sentences, noise):
    found = differs(noise, text(*sentences, noise))

    assert isinstance(found, CopyDifference)
    assert all(0.0 <= share <= 1.0 for share in (found.kept, found.edited, found.added))
    assert describe_copy(found)
