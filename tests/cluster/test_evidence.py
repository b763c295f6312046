"""Evidence: what two articles share and what only one of them has."""

from dataclasses import replace

import numpy as np

from digests.cluster.explain import collect_evidence
from watcher.features.embedders import with_vector


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
