"""What two texts have in common, and which pairs of a window are worth to be compared."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.near_duplicates import candidate_pairs, make_fingerprint, make_fingerprints, measure_overlap
from watcher.features.extract import MAX_SHINGLES, shingles

STORY = (
    "The harbour authority closed the northern quay on Monday after a crane fell across two moored ferries. "
    "Nobody was hurt, said a spokeswoman, and divers will look at the hulls before the evening tide. "
    "Traffic to the islands goes through the old port until the weekend, with fewer sailings in the morning."
)
MEETING = (
    "At noon the council met behind closed doors for an hour to hear the engineers, who had walked the rails at dawn. "
    "Two of the members left early and would not talk to those who waited on the steps with their cameras."
)
QUOTE = "We will rebuild the quay before the summer and we will pay for every ferry that was damaged on Monday"


def window_of(texts):
    return [make_fingerprint(each) for each in texts]


def wording(text):
    return make_fingerprint(shingles(text))


def words(start, stop):
    return " ".join(f"w{n}" for n in range(start, stop))


def test_a_shortened_copy_is_contained_in_its_original():
    found = measure_overlap(wording(STORY), wording(STORY[: STORY.index("Traffic")]))

    assert found.share == 1.0
    assert found.same_lead
    assert found.in_a > found.in_b == found.shared


def test_samples_of_long_texts_keep_their_share():
    half = f"{words(0, 1_500)} {words(5_000, 6_500)}"

    assert 0.4 < measure_overlap(wording(words(0, 3_000)), wording(half)).share < 0.6
    assert measure_overlap(wording(words(0, 3_000)), wording(words(900, 1_100))).share > 0.95


def test_a_quotation_that_both_carry_is_not_shared():
    found = measure_overlap(
        wording(f"{STORY} “{QUOTE},” the mayor said."), wording(f"{MEETING} “{QUOTE},” the mayor said.")
    )

    assert found.shared <= 1


def test_what_one_cites_and_the_other_tells_is_not_shared():
    found = measure_overlap(
        wording(f"{STORY} “{QUOTE},” the mayor said."), wording(f"{MEETING} {QUOTE}, the mayor said.")
    )

    assert found.shared <= 1


def test_texts_that_are_nothing_but_quotations_are_compared_by_them():
    found = measure_overlap(wording(f"“{STORY}”"), wording(f"“{STORY}” so the mayor"))

    assert found.share > 0.9


@given(st.lists(st.integers(0, 40), max_size=60), st.lists(st.integers(0, 40), max_size=60))
def test_what_is_common_does_not_depend_on_the_side(ours, theirs):
    a, b = (wording(" ".join(f"w{n}" for n in numbers)) for numbers in (ours, theirs))

    one, other = measure_overlap(a, b), measure_overlap(b, a)

    assert (one.shared, one.in_a, one.in_b, one.same_lead) == (other.shared, other.in_b, other.in_a, other.same_lead)
    assert 0.0 <= one.share <= 1.0
    assert one.shared <= min(one.in_a, one.in_b)


def test_every_pair_of_two_copies_is_a_candidate_and_no_pair_of_strangers():
    rng = random.Random(3)
    texts = [words(1_000 * n, 1_000 * n + 90) for n in range(40)]
    copied = [" ".join(text.split()[rng.randrange(20) :]) for text in texts]

    found = candidate_pairs(window_of([shingles(text) for text in (*texts, *copied)]))

    assert found == [(n, n + 40) for n in range(40)]


def test_the_copies_of_one_text_give_a_chain_and_not_all_pairs():
    found = candidate_pairs(window_of([shingles(f"{words(0, 200)} x{n} y{n}") for n in range(50)]))

    assert len(found) <= 2 * 50
    assert {later for _, later in found} == set(range(1, 50))


def test_a_part_of_the_shingles_of_a_large_window_shows_the_same_pairs():
    texts = [words(1_000 * n, 1_000 * n + 300) for n in range(20)]
    window = window_of([shingles(text) for text in (*texts, *(text[:1_000] for text in texts))])

    assert candidate_pairs(window, most=2_000) == candidate_pairs(window) == [(n, n + 20) for n in range(20)]


def test_no_text_gives_no_candidate():
    assert candidate_pairs(window_of([])) == []
    assert candidate_pairs(window_of([b"", b""])) == []


def test_furniture_of_an_outlet_is_left_out_but_not_a_text_it_prints_again(item):
    furniture = (
        "Read the harbour letter every morning before the first ferry leaves, or follow us on the radio at noon."
    )
    own = [
        item(f"a{n}", f"Story {n}", f"{words(100 * n, 100 * n + 60)}\n{furniture}", outlet="Daily") for n in range(4)
    ]
    again = [item(f"b{n}", "Story", words(900, 1_000), outlet="Weekly") for n in range(4)]

    found = make_fingerprints([*own, *again])

    assert len({tuple(each.sample.tolist()) for each in found[:4]}) == 4
    assert not set.intersection(*(set(each.sample.tolist()) for each in found[:4]))
    assert all(len(each.sample) == 98 for each in found[4:])


@given(st.binary(max_size=40))
def test_any_sample_is_compared_with_itself(data):
    numbers = sorted({int(n) for n in np.frombuffer(data[: len(data) // 4 * 4], "<u4") >> 2})
    sample = np.array([n << 2 for n in numbers], "<u4").tobytes()

    found = measure_overlap(make_fingerprint(sample), make_fingerprint(sample))

    assert found.shared == len(numbers) <= MAX_SHINGLES
