"""Reports: copies are folded whatever is done to them, independent texts never are."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.near_duplicates import (
    _candidate_pairs,
    _make_fingerprints,
    group_wire_copies,
    make_fingerprint,
    measure_overlap,
)
from watcher.features.extract import MAX_SHINGLES, shingles

WIRE = """The harbour authority of Lindhaven closed its quay on Monday after a crane fell across two moored ferries.
Nobody was hurt, a spokeswoman said, and divers will look at both hulls before the evening tide.
Traffic to the outer islands goes through the old port until the weekend, with fewer sailings in the morning.
The crane had been inspected in January and no fault was noted, according to the log that the operator published.
Two of its four legs gave way while it was being moved along the rails to make room for a delivery of steel.
Insurers sent three engineers to the site, who expect to need ten days before they can say what went wrong.
The company that runs the ferries has hired a vessel from a neighbouring island to carry cars and lorries.
Fishermen complained that the old port has no ice house, and that their catch will have to be sold elsewhere."""
OTHER = """Residents of Lindhaven woke to the sound of bending steel when a gantry came down over the ferry berth.
By noon a crowd had gathered behind the fence, some with cameras, to see the two white ships under the wreck.
The mayor, who lives nearby, said the town had asked for a newer machine in each of the last five budgets.
Island schools kept their pupils at home because the first boat of the day could not leave its berth.
A lorry driver with a load of flowers said he would wait a day and then turn back to the market he came from.
Shops on the outer islands have bread for three days, the co-operative said, and milk for rather longer."""
QUOTE = (
    "“We will rebuild the quay before the summer, we will pay for every ferry that was damaged, and we "
    "will publish all that the engineers tell us about the crane, whoever is to blame for it and whatever "
    "it costs the port.”"
)


def groups_of(found):
    return {frozenset(report.articles) for report in found}


def lines(text):
    return text.split("\n")


@pytest.mark.parametrize(
    ("name", "copy"),
    [
        ("whole", WIRE),
        ("cut after the fourth paragraph", "\n".join(lines(WIRE)[:4])),
        ("without its second paragraph", "\n".join([lines(WIRE)[0], *lines(WIRE)[2:]])),
        (
            "with the outlet's own beginning and end",
            f"Our reporters follow this.\n{WIRE}\nMore on this tonight at eight.",
        ),
        ("with another credit line", f"LINDHAVEN (dpa) - {WIRE}\n(Mit Material der Agentur)"),
        ("lightly edited", WIRE.replace("Monday", "Monday morning").replace("hired", "chartered").replace("ten", "10")),
    ],
)
def test_a_reprint_is_folded(item, name, copy):
    first = item("a", "Crane falls on ferries in Lindhaven", WIRE)
    second = item("b", f"Port shut, {name}", copy, hours=3)
    independent = item("c", "Steel wreck over the berth", OTHER, hours=1)

    assert groups_of(group_wire_copies([second, independent, first])) == {frozenset("ab"), frozenset("c")}


def test_independent_texts_that_share_a_long_quotation_stay_apart(item):
    first = item("a", "Crane falls on ferries", f"{WIRE}\n{QUOTE} the authority said.")
    second = item("b", "Crane falls on ferries", f"{OTHER}\n{QUOTE} the mayor read out.", hours=1)

    assert len(group_wire_copies([first, second])) == 2


def test_a_text_made_of_two_wires_does_not_join_them(item):
    first = item("a", "Crane falls", WIRE, agency="dpa")
    second = item("b", "Steel wreck", OTHER, agency="AFP", hours=1)
    merged = item("c", "Lindhaven port closed", "\n".join([*lines(WIRE)[:4], *lines(OTHER)[:3]]), hours=2)

    found = groups_of(group_wire_copies([first, second, merged]))

    assert not any({"a", "b"} <= group for group in found)


def test_a_text_made_of_two_wires_belongs_to_the_one_that_it_mostly_is(item):
    first = item("a", "Crane falls", WIRE, agency="dpa")
    second = item("b", "Steel wreck", OTHER, agency="AFP", hours=1)
    merged = item("c", "Port closed", "\n".join([*lines(WIRE)[:6], *lines(OTHER)[-2:]]), hours=2)

    assert groups_of(group_wire_copies([first, second, merged])) == {frozenset("ac"), frozenset("b")}


def test_a_statement_that_both_print_in_full_folds_nothing(item):
    words = QUOTE.strip("“”").replace(", ", ".\n— ")
    first = item("a", "Crane falls on ferries", f"{WIRE}\n— {words}")
    second = item("b", "Wreck over the berth", f"{OTHER}\nThe mayor's words:\n{QUOTE.strip('“”')}", hours=1)

    assert len(group_wire_copies([first, second])) == 2


def test_a_follow_up_that_tells_the_old_again_is_a_report_of_its_own(item):
    new = [line.replace("Lindhaven", "the port") for line in lines(OTHER)[:4]]
    first = item("a", "Crane falls on ferries", WIRE, agency="dpa")
    later = item("b", "Town counts the cost", "\n".join([*new, *lines(WIRE)[:5]]), agency="dpa", hours=26)

    assert len(group_wire_copies([first, later])) == 2


def test_two_reports_of_one_press_conference_stay_apart(item):
    said = [f"{QUOTE[:-1]}, part {n} of the answers that were given to those who asked,” he said." for n in range(4)]
    first = item("a", "Mayor answers", "\n".join([*lines(WIRE)[:2], *said, lines(WIRE)[2]]))
    second = item("b", "Questions to the mayor", "\n".join([*lines(OTHER)[:2], *said, lines(OTHER)[2]]), hours=1)
    reprint = item("c", "The mayor explains", "\n".join([*lines(WIRE)[:2], *said]), hours=2)

    assert groups_of(group_wire_copies([first, second, reprint])) == {frozenset("ac"), frozenset("b")}


def test_one_form_with_other_figures_is_two_reports(item):
    form = (
        "A magnitude {0} earthquake struck {1} kilometres off the coast at a depth of {2} kilometres, the survey said. "
        "There were no immediate reports of damage or of people hurt, and no tsunami warning was issued for the area. "
        "The region lies on a ring of faults where the plates of the earth meet and quakes of this size are frequent."
    )
    first = item("a", "Quake off the coast", form.format("5.1", 32, 10))
    second = item("b", "Quake off the coast", form.format("4.7", 118, 35), hours=20)
    copy = item("c", "Earth shakes", form.format("5.1", 32, 10).replace("immediate", "early"), hours=1)

    assert groups_of(group_wire_copies([first, second, copy])) == {frozenset("ac"), frozenset("b")}


@pytest.mark.slow
def test_thousands_of_copies_are_one_report(item):
    first = item("a", "Crane falls", WIRE)
    copies = [replace(first, article_id=f"c{n}", outlet=f"outlet {n}") for n in range(4_000)]

    (found,) = group_wire_copies([first, *copies])

    assert len(found.articles) == 4_001


def test_the_order_of_arrival_changes_nothing(item):
    texts = [
        WIRE,
        OTHER,
        "\n".join(lines(WIRE)[:5]),
        "\n".join([*lines(WIRE)[:5], *lines(OTHER)[:3]]),
        f"{OTHER}\n{WIRE}",
    ]
    items = [item(f"{n}", f"Title {n}", text, hours=n % 3) for n, text in enumerate(texts * 3)]
    rng = random.Random(8)

    found = {group_wire_copies(rng.sample(items, len(items))) for _ in range(12)}

    assert len(found) == 1


def test_the_furniture_of_one_outlet_folds_nothing(item):
    furniture = "\n".join(lines(OTHER))
    rng = random.Random(5)
    words = [f"word{n}" for n in range(400)]
    items = [
        item(f"a{n}", f"Story {n}", f"{' '.join(rng.sample(words, 120))}\n{furniture}", outlet="Daily")
        for n in range(4)
    ]

    assert len(group_wire_copies(items)) == 4


NOTICE = """To make this site better we gather anonymous data on your visit, and so do the partners that we work with.
Which of them you allow can be chosen in the settings, where each one is listed with what it is for.
By closing this window you agree, until you say otherwise, that your data is used as our rules have it."""
RIGHTS = "Copyright 2026. All rights reserved. This material may not be published, broadcast, rewritten or sold again."


@pytest.mark.parametrize("outlet", ["", "The Daily"])
def test_a_notice_in_place_of_the_text_folds_nothing(item, outlet):
    crane = item("a", "Crane falls on ferries in Lindhaven", NOTICE, outlet=outlet)
    school = item("b", "Teachers of the island go back to work", NOTICE, outlet=outlet, hours=2)
    bread = item("c", "Bread is short on the outer islands", RIGHTS, outlet=outlet)
    told = item("d", "Crane falls on ferries at the quay", f"{WIRE}\n{RIGHTS}", outlet=outlet)

    assert len(group_wire_copies([crane, school, bread, told])) == 4


def test_a_text_under_a_headline_of_none_of_its_words_is_folded_with_one_that_has_some(item):
    first = item("a", "Crane falls on ferries in Lindhaven", WIRE)
    second = item("b", "Bent steel", WIRE, hours=3)

    assert groups_of(group_wire_copies([first, second])) == {frozenset("ab")}


def test_the_origin_is_the_agency_then_the_earliest(item):
    early = item("a", "Crane falls", WIRE, agency="AFP")
    agency = item("b", "Crane falls", WIRE, outlet="AFP", agency="AFP", hours=1)
    late = item("c", "Crane falls", WIRE, hours=2)

    (with_agency,) = group_wire_copies([late, agency, early])
    (without,) = group_wire_copies([late, early])

    assert (with_agency.articles, with_agency.agency) == (("b", "a", "c"), "AFP")
    assert without.origin == "a"


REWRITTEN = """Two ferries lie under a crane in Lindhaven. Divers will look at both hulls before the evening tide.
The crane had been inspected in January and no fault was noted. A docker says that it had leaned for weeks.
While it was being moved along the rails to make room for a delivery of steel, two legs broke under its weight.
Engineers from the capital expect to need ten days before they can say what went wrong, and that may be hopeful.
The mayor wants a debate on who pays. Fishermen are angry because their catch will have to be sold elsewhere."""


def sources_of(found):
    return {report.origin: (report.rewritten_from, report.agency) for report in found}


def test_a_rewritten_text_names_its_source_and_the_agency(item):
    wire = item("a", "Crane falls on ferries", WIRE, agency="dpa")
    rewritten = item("b", "Ferries under steel", REWRITTEN, hours=2)
    own = item("c", "Steel wreck over the berth", f"{OTHER}\n{QUOTE} the mayor read out.", hours=3)

    found = group_wire_copies([rewritten, own, wire])

    assert sources_of(found) == {"a": (None, "dpa"), "b": ("a", "dpa"), "c": (None, None)}


def test_an_agencys_text_is_the_source_also_if_it_comes_later(item):
    rewritten = item("a", "Ferries under steel", REWRITTEN)
    wire = item("b", "Crane falls on ferries", WIRE, agency="dpa", hours=1)

    assert sources_of(group_wire_copies([wire, rewritten])) == {"a": ("b", "dpa"), "b": (None, "dpa")}


def test_of_two_outlets_the_later_one_has_rewritten(item):
    first, second = item("a", "Ferries under steel", REWRITTEN), item("b", "Crane falls on ferries", WIRE, hours=1)

    assert sources_of(group_wire_copies([second, first])) == {"a": (None, None), "b": ("a", None)}


def test_what_is_rewritten_from_a_rewritten_text_is_from_the_source_of_that(item):
    again = "\n".join([*lines(OTHER)[:4], *lines(REWRITTEN)[2:4]])
    wire = item("a", "Crane falls on ferries", WIRE, agency="dpa")
    rewritten = item("b", "Ferries under steel", REWRITTEN, hours=2)
    third = item("c", "Steel wreck over the berth", again, hours=4)

    assert sources_of(group_wire_copies([wire, rewritten, third]))["c"] == ("a", "dpa")


@pytest.mark.parametrize(("outlet", "hours"), [("outlet of a", 2), ("Daily", 30)], ids=["one outlet", "a later day"])
def test_an_outlets_next_text_and_one_of_a_later_day_are_not_rewritten(item, outlet, hours):
    wire = item("a", "Crane falls on ferries", WIRE, agency="dpa")
    later = item("b", "Ferries under steel", REWRITTEN, outlet=outlet, hours=hours)

    assert sources_of(group_wire_copies([wire, later]))["b"] == (None, None)


@pytest.mark.parametrize(("taken", "source"), [(slice(2, 4), "a"), (slice(-2, None), None)], ids=["news", "background"])
def test_a_text_that_shares_the_end_of_another_alone_is_not_rewritten(item, taken, source):
    wire = item("a", "Crane falls on ferries", WIRE, agency="dpa")
    other = item("b", "Steel wreck over the berth", "\n".join([*lines(OTHER)[:4], *lines(WIRE)[taken]]), hours=2)

    assert sources_of(group_wire_copies([wire, other]))["b"][0] == source


def test_the_same_headline_without_a_text_is_one_report(item):
    title = "Crane falls on two ferries in Lindhaven harbour"
    first, second = item("a", title), item("b", title.upper(), hours=1)
    other = item("c", "Crane falls on two lorries in Lindhaven harbour", hours=1)

    assert groups_of(group_wire_copies([first, second, other])) == {frozenset("ab"), frozenset("c")}


def test_the_same_headline_days_later_is_another_report(item):
    title = "Crane falls on two ferries in Lindhaven harbour"
    early = [item("a", title), item("b", title, hours=100)]
    late = [item("c", title, hours=400), item("d", title, hours=410)]

    assert groups_of(group_wire_copies([*early, *late])) == {frozenset("ab"), frozenset("cd")}


def test_the_name_of_a_column_is_no_report(item):
    title = "What you need to know this morning"
    items = [item("a", title, outlet="Daily"), item("b", title, outlet="Daily", hours=24), item("c", title, hours=1)]

    assert len(group_wire_copies(items)) == 3


def test_a_reprint_in_a_script_without_spaces_is_folded(item):
    text = (
        "港湾局は月曜日、クレーンが停泊中のフェリー二隻の上に倒れたため"
        "北埠頭を閉鎖したと発表した。けが人はいないという。"
    )
    first = item("a", "クレーン倒壊、フェリー二隻に", text, language="ja")
    second = item("b", "北埠頭を閉鎖", f"{text}離島への便は旧港から出る。", language="ja", hours=1)

    assert len(group_wire_copies([first, second])) == 1


STORY = (
    "The harbour authority closed the northern quay on Monday after a crane fell across two moored ferries. "
    "Nobody was hurt, said a spokeswoman, and divers will look at the hulls before the evening tide. "
    "Traffic to the islands goes through the old port until the weekend, with fewer sailings in the morning."
)
MEETING = (
    "At noon the council met behind closed doors for an hour to hear the engineers, who had walked the rails at dawn. "
    "Two of the members left early and would not talk to those who waited on the steps with their cameras."
)
MAYORS_WORDS = "We will rebuild the quay before the summer and we will pay for every ferry that was damaged on Monday"


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
        wording(f"{STORY} “{MAYORS_WORDS},” the mayor said."), wording(f"{MEETING} “{MAYORS_WORDS},” the mayor said.")
    )

    assert found.shared <= 1


def test_what_one_cites_and_the_other_tells_is_not_shared():
    found = measure_overlap(
        wording(f"{STORY} “{MAYORS_WORDS},” the mayor said."), wording(f"{MEETING} {MAYORS_WORDS}, the mayor said.")
    )

    assert found.shared <= 1


def test_texts_that_are_nothing_but_quotations_are_compared_by_them():
    found = measure_overlap(wording(f"“{STORY}”"), wording(f"“{STORY}” so the mayor"))

    assert found.share > 0.9


@given(st.lists(st.integers(0, 40), max_size=60), st.lists(st.integers(0, 40), max_size=60))
@pytest.mark.slow
def test_what_is_common_does_not_depend_on_the_side(ours, theirs):
    a, b = (wording(" ".join(f"w{n}" for n in numbers)) for numbers in (ours, theirs))

    one, other = measure_overlap(a, b), measure_overlap(b, a)

    assert one.swap() == other
    assert 0.0 <= one.share <= 1.0
    assert one.shared <= min(one.in_a, one.in_b)


def test_every_pair_of_two_copies_is_a_candidate_and_no_pair_of_strangers():
    rng = random.Random(3)
    texts = [words(1_000 * n, 1_000 * n + 90) for n in range(40)]
    copied = [" ".join(text.split()[rng.randrange(20) :]) for text in texts]

    found = _candidate_pairs(window_of([shingles(text) for text in (*texts, *copied)]))

    assert found == [(n, n + 40) for n in range(40)]


def test_the_copies_of_one_text_give_a_chain_and_not_all_pairs():
    found = _candidate_pairs(window_of([shingles(f"{words(0, 200)} x{n} y{n}") for n in range(50)]))

    assert len(found) <= 2 * 50
    assert {later for _, later in found} == set(range(1, 50))


def test_a_part_of_the_shingles_of_a_large_window_shows_the_same_pairs():
    texts = [words(1_000 * n, 1_000 * n + 300) for n in range(20)]
    window = window_of([shingles(text) for text in (*texts, *(text[:1_000] for text in texts))])

    assert _candidate_pairs(window, limit=2_000) == _candidate_pairs(window) == [(n, n + 20) for n in range(20)]


def test_no_text_gives_no_candidate():
    assert _candidate_pairs(window_of([])) == []
    assert _candidate_pairs(window_of([b"", b""])) == []


def test_furniture_of_an_outlet_is_left_out_but_not_a_text_it_prints_again(item):
    furniture = (
        "Read the harbour letter every morning before the first ferry leaves, or follow us on the radio at noon."
    )
    own = [
        item(f"a{n}", f"Story {n}", f"{words(100 * n, 100 * n + 60)}\n{furniture}", outlet="Daily") for n in range(4)
    ]
    again = [item(f"b{n}", "Story", words(900, 1_000), outlet="Weekly") for n in range(4)]

    found = _make_fingerprints([*own, *again])

    assert len({tuple(each.sample.tolist()) for each in found[:4]}) == 4
    assert not set.intersection(*(set(each.sample.tolist()) for each in found[:4]))
    assert all(len(each.sample) == 98 for each in found[4:])


@given(st.binary(max_size=40))
def test_any_sample_is_compared_with_itself(data):
    numbers = sorted({int(n) for n in np.frombuffer(data[: len(data) // 4 * 4], "<u4") >> 2})
    sample = np.array([n << 2 for n in numbers], "<u4").tobytes()

    found = measure_overlap(make_fingerprint(sample), make_fingerprint(sample))

    assert found.shared == len(numbers) <= MAX_SHINGLES
