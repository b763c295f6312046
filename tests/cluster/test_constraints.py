"""Readers' corrections: grouping keeps to them, whatever the scores say, and the later of two holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.cluster.constraints import NO_RULES, UserCorrection, resolve_corrections
from digests.cluster.stories import cluster_stories

QUAKE = "A quake of magnitude 5.4 shook Tarvola in the Dressel valley at dawn. Mayor Henrik Oster said so in Marnitz."
CHESS = "The chess club of Brindle won the Varga cup in Lunden after nine rounds, its captain Petra Moll said there."


def join(articles, others):
    return UserCorrection(kind="join", articles=tuple(articles), others=tuple(others))


def split(articles, others):
    return UserCorrection(kind="split", articles=tuple(articles), others=tuple(others))


@pytest.fixture
def items(item):
    quake = [item(f"q{n}", f"Quake shakes Tarvola, part {n}", f"{QUAKE} Report {n}.", hours=n) for n in range(4)]
    chess = [item(f"c{n}", f"Chess club wins the Varga cup {n}", f"{CHESS} Report {n}.", hours=n) for n in range(3)]
    return [*quake, *chess]


def found(items, *corrections):
    return {frozenset(s.articles) for s in cluster_stories(items, rules=resolve_corrections(corrections))}


def sets(*words):
    return {frozenset(word.split()) for word in words}


def test_without_rules_nothing_changes(items):
    assert cluster_stories(items, rules=NO_RULES) == cluster_stories(items)
    assert found(items) == sets("q0 q1 q2 q3", "c0 c1 c2")


def test_stories_that_a_reader_joined_are_one(items):
    stories = found(items, join(["q0", "q1"], ["c0"]))

    assert any(story >= {"q0", "q1", "c0"} for story in stories)


def test_an_article_that_a_reader_took_out_is_in_no_story_with_the_others(items):
    """The articles carry one text, so that the report has to be divided too."""
    assert found(items, split(["q3"], ["q0", "q1", "q2"])) == sets("q0 q1 q2", "q3", "c0 c1 c2")


def test_a_later_article_does_not_bring_together_what_is_apart(items, item):
    later = item("q9", "Quake shakes Tarvola, part 9", f"{QUAKE} Report 9.", hours=5)

    for story in found([*items, later], split(["q3"], ["q0", "q1", "q2"])):
        assert not ("q3" in story and story & {"q0", "q1", "q2"})


def test_the_later_of_two_corrections_holds(items):
    apart, together = split(["q3"], ["q0", "q1", "q2"]), join(["q3"], ["q0", "q1", "q2"])

    assert found(items, apart, together) == found(items)
    assert found(items, together, apart) == found(items, apart)


def test_a_live_blog_stays_where_a_reader_put_it(items, item):
    blog = item("b", "Live: quake shakes Tarvola", QUAKE, hours=1, kind="live")

    assert any("b" in story and "q0" in story for story in found([*items, blog]))
    assert frozenset("b") in found([*items, blog], split(["b"], ["q0", "q1", "q2", "q3"]))
    assert any(story >= {"b", "c0"} for story in found([*items, blog], join(["b"], ["c0"])))


KEYS = [f"q{n}" for n in range(4)] + [f"c{n}" for n in range(3)]
CORRECTIONS = st.builds(
    UserCorrection,
    kind=st.sampled_from(["join", "split"]),
    articles=st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True).map(tuple),
    others=st.lists(st.sampled_from([*KEYS, "gone"]), min_size=1, max_size=3, unique=True).map(tuple),
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.lists(CORRECTIONS, max_size=5))
def test_rules_never_contradict_each_other_and_the_last_always_holds(corrections):
    rules = resolve_corrections(corrections)

    for members in rules.together:
        assert not any(set(members) & ours and set(members) & theirs for ours, theirs in rules.apart)
    if corrections and corrections[-1].kind == "join":
        last = {*corrections[-1].articles, *corrections[-1].others}
        assert len(last) == 1 or any(last <= set(members) for members in rules.together)
