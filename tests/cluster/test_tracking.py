"""Stories over days: what an id means never changes without a word, whatever the days bring."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digests.cluster.constraints import apply_stability_bonus, keep_known_stories, majority_story
from digests.cluster.item import ClusterItem
from digests.cluster.linkage import average_linkage
from digests.cluster.stories import story_id
from digests.cluster.tracking import ExistingStory, start_of_thread, story_profile, track_stories
from digests.model.story import Story, WireGroup
from tests.cluster.factories import make_edges, never_apart
from watcher.features.extract import extract_features

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
QUAKE = "A quake of magnitude 5.4 shook Tarvola in the Dressel valley at dawn. Mayor Henrik Oster said so in Marnitz."
AFTER = "Tarvola counts the damage: Mayor Henrik Oster said in Marnitz that the quake felled 212 houses in the Dressel."
CHESS = "The chess club of Brindle won the Varga cup in Lunden after nine rounds, its captain Petra Moll said there."


def group_of(*articles: str) -> Story:
    reports = tuple(WireGroup(articles=(article,)) for article in articles)
    return Story(id=story_id(articles[0]), articles=articles, wire_groups=reports)


def items_of(articles: str):
    return {
        key: ClusterItem(
            article_id=key,
            title=f"Report {key}",
            language="en",
            published_at=START + timedelta(hours=n),
            outlet=key,
            url="",
            features=extract_features(key, title=f"Report {key}", text="", language="en"),
        )
        for n, key in enumerate(articles)
    }


def known_of(carried, before=()):
    """What the store knows after a step: the stories of before, with what has become of them."""
    into = {change.story: change.other for change in carried.events if change.kind == "merged"}
    now = {article: story for story in carried.stories for article in story.articles}
    members = {story.id: set(story.articles) for story in carried.stories}
    old = {known.id: known for known in before if known.id not in into}
    for known in before:
        members.setdefault(into.get(known.id, known.id), set()).update(set(known.articles) - now.keys())
    for story in carried.stories:
        old[story.id] = ExistingStory(
            id=story.id,
            thread=story.thread,
            began_at=story.began_at,
            first_at=story.began_at,
            size=len(members[story.id]),
            articles=tuple(sorted(members[story.id])),
            merged_ids=story.merged_ids,
        )
    return tuple(old.values())


def absorbed_of(carried, known, before=()):
    """What the store knows after a step of the stories that have gone into others."""
    was = {story.id: story for story in known}
    found = {each.id: each for each in before}
    for change in carried.events:
        if change.kind == "merged":
            old = was[change.story]
            found[old.id] = replace(old, articles=change.articles, size=len(change.articles))
    living = {story.id for story in carried.stories}
    return tuple(each for each in found.values() if each.id not in living)


def steps(*days, items):
    """Carry the groups of each day on from the day before."""
    known, absorbed, done = (), (), []
    for groups in days:
        done.append(track_stories(known, [group_of(*group) for group in groups], items, merged=absorbed))
        absorbed = absorbed_of(done[-1], known, absorbed)
        known = known_of(done[-1], known)
    return done


def ids(carried):
    return {"".join(story.articles): story.id for story in carried.stories}


def test_a_story_that_grows_keeps_its_id():
    first, second = steps(["abc"], ["xabcd"], items=items_of("abcdx"))

    assert ids(second)["xabcd"] == ids(first)["abc"]
    assert second.events == ()


def test_of_two_stories_that_become_one_the_larger_keeps_its_id_and_the_other_says_where_it_went():
    first, second = steps(["ab", "cde"], ["abcde"], items=items_of("abcde"))

    (story,) = second.stories
    (change,) = second.events
    assert (story.id, story.merged_ids) == (ids(first)["cde"], (ids(first)["ab"],))
    assert (change.kind, change.story, change.other) == ("merged", ids(first)["ab"], story.id)
    assert change.articles == ("a", "b")
    assert change.why


def test_what_leaves_a_story_is_a_story_of_its_own_in_a_thread_of_its_own():
    first, second = steps(["abcde"], ["ab", "cde"], items=items_of("abcde"))

    (change,) = second.events
    assert ids(second)["cde"] == ids(first)["abcde"] != ids(second)["ab"]
    assert (change.kind, change.story, change.other, change.articles) == (
        "split", ids(first)["abcde"], ids(second)["ab"], ("a", "b"),
    )  # fmt: skip
    assert len({story.thread for story in second.stories}) == 2


def test_an_article_that_moves_to_another_story_is_told():
    first, second = steps(["abc", "de"], ["ab", "cde"], items=items_of("abcde"))

    (change,) = second.events
    assert ids(second) == {"ab": ids(first)["abc"], "cde": ids(first)["de"]}
    assert (change.kind, change.articles) == ("moved", ("c",))


def test_an_id_that_was_merged_away_is_given_to_no_other_story():
    done = steps(["ab", "cdef"], ["abcdef"], ["bc", "adef"], items=items_of("abcdef"))

    assert ids(done[0])["ab"] not in ids(done[2]).values()


def test_a_story_that_comes_out_of_another_again_is_what_it_was():
    done = steps(["ab", "cde"], ["abcde"], ["abx", "cde"], items=items_of("abcdex"))

    (ours, theirs), (again, rest) = done[0].stories, done[2].stories
    assert (again.id, again.thread, again.began_at) == (ours.id, ours.thread, ours.began_at)
    assert (rest.id, rest.merged_ids) == (theirs.id, ())
    (change,) = done[2].events
    assert (change.kind, change.story, change.other, change.articles) == ("split", theirs.id, ours.id, ("a", "b"))


def test_stories_come_out_one_by_one_of_what_they_have_gone_into_together():
    days = [["a", "bc", "defg"], ["abc", "defg"], ["abcdefg"], ["abc", "defg"], ["a", "bc", "defg"]]
    done = steps(*days, items=items_of("abcdefg"))

    assert ids(done[3]) == ids(done[1])
    assert ids(done[4]) == ids(done[0])
    assert [story.merged_ids for story in done[4].stories] == [(), (), ()]


def test_an_id_that_is_taken_elsewhere_is_not_given():
    taken = {story_id("a"), story_id("a 2")}

    (story,) = track_stories((), [group_of("a")], items_of("a"), taken_ids=taken).stories

    assert story.id == story_id("a 3")


def test_why_stories_came_apart_names_what_each_has_of_its_own(item):
    quake = [item(f"q{n}", "Quake", QUAKE, hours=n) for n in range(3)]
    chess = [item(f"c{n}", "Cup", CHESS, hours=n) for n in range(2)]
    items = {each.article_id: each for each in (*quake, *chess)}
    first = track_stories((), [group_of("c0", "c1", "q0", "q1", "q2")], items)

    (change,) = track_stories(known_of(first), [group_of("c0", "c1"), group_of("q0", "q1", "q2")], items).events

    assert "only they mention Brindle" in change.why
    assert "the others mention 5.4, Dressel" in change.why


def test_a_follow_up_belongs_to_the_thread_and_not_to_the_event(item):
    """The window has lost the quake; what is kept of it is what it was about."""
    quake = {f"q{n}": item(f"q{n}", "Quake shakes Tarvola", f"{QUAKE} Report {n}.", hours=n) for n in range(3)}
    chess = {f"c{n}": item(f"c{n}", "Brindle wins the cup", f"{CHESS} Report {n}.", hours=n) for n in range(3)}
    first = track_stories((), [group_of(*quake), group_of(*chess)], quake | chess)
    gone = tuple(replace(known, articles=(), profile=profile_of(known, quake | chess)) for known in known_of(first))
    later = {f"f{n}": item(f"f{n}", "Damage in Tarvola", f"{AFTER} Report {n}.", hours=150 + n) for n in range(2)}
    other = {"x": item("x", "A goat stops a train", "The goat Sixpence stood on the rails at Kilbrannan.", hours=151)}

    second = track_stories(gone, [group_of(*later), group_of("x")], later | other)

    (change,) = second.events
    thread_of = {story.articles: story.thread for story in (*first.stories, *second.stories)}
    assert (change.kind, change.story, change.other) == ("follows", ids(second)["f0f1"], ids(first)["q0q1q2"])
    assert thread_of["f0", "f1"] == thread_of["q0", "q1", "q2"]
    assert thread_of["x",] not in (thread_of["q0", "q1", "q2"], thread_of["c0", "c1", "c2"])
    assert second.stories[0].began_at == first.stories[1].began_at


def profile_of(known, items):
    return story_profile(known.id, [items[article] for article in known.articles])


@pytest.mark.parametrize("home", ["a", "b"])
def test_an_article_on_the_edge_stays_in_the_story_that_it_was_in(home):
    """Between two stories it is as near to one as to the other; alone, it would be in the first."""
    close, edge = 0.6, 0.4
    pairs = [(0, 1, close), (2, 3, close), *((n, 4, edge) for n in range(4))]

    groups = average_linkage(5, apply_stability_bonus(make_edges(pairs), ["a", "a", "b", "b", home]), 0.35, never_apart)

    assert groups == ([[0, 1, 4], [2, 3]] if home == "a" else [[0, 1], [2, 3, 4]])


def test_the_story_of_a_report_is_that_of_most_of_its_articles():
    report = WireGroup(articles=("a", "b", "c", "d"))

    assert majority_story(report, {"a": "one", "b": "two", "c": "two"}) == "two"
    assert majority_story(report, {"x": "one"}) is None


def test_looking_back_changes_no_story():
    items = items_of("abcdef")
    groups = [group_of("a", "b", "c"), group_of("d", "e", "f")]

    found = keep_known_stories(groups, {"a": "one", "b": "two", "d": "two", "e": "three"}, items)

    assert sorted("".join(story.articles) for story in found) == ["ac", "bd", "ef"]


DAYS = st.lists(st.lists(st.integers(0, 3), min_size=8, max_size=8), min_size=1, max_size=6)


def groups_of(assigned):
    """Return the groups of one day: article n is in group `assigned[n]`, out of the window if that is 3."""
    found = {}
    for article, group in zip("abcdefgh", assigned, strict=True):
        if group < 3:
            found.setdefault(group, []).append(article)
    return [tuple(articles) for articles in found.values()]


@pytest.mark.slow
@given(DAYS)
@settings(max_examples=200, deadline=None)
def test_no_id_changes_its_meaning_without_a_word(days):
    """Whatever the groups of the days are: who knows an id finds its articles under it, or is told where they are."""
    items = items_of("abcdefgh")
    done = steps(*map(groups_of, days), items=items)

    where: dict[str, str] = {}
    gone: set[str] = set()
    had: dict[str, set[str]] = {}
    for carried in done:
        told = {(a, c.story, c.other) for c in carried.events for a in c.articles if c.kind not in ("follows", "left")}
        whole = {(c.story, c.other) for c in carried.events if c.kind == "merged"}
        now = {article: story.id for story in carried.stories for article in story.articles}
        for article, story in now.items():
            was = where.get(article)
            assert was in (None, story) or (article, was, story) in told
        back = gone & set(now.values())
        for story in back:  # all that it is has come out of others, and most of what it was is there
            own = {article for article, each in now.items() if each == story}
            assert all((article, where[article], story) in told for article in own & where.keys())
            assert 2 * len(own & had[story]) > len(had[story])
        gone -= back
        had |= {c.story: set(c.articles) for c in carried.events if c.kind == "merged"}
        gone |= {story for story, _ in whole}
        into = dict(whole)
        where = {article: into.get(story, story) for article, story in where.items()} | now
        assert len({story.id for story in carried.stories}) == len(carried.stories)


@pytest.mark.slow
@given(DAYS)
@example([[int(n) for n in day] for day in ("00000000", "10110111", "00001111", "01120000", "01000000", "00100000")])
@settings(max_examples=100, deadline=None)
def test_carrying_on_twice_is_carrying_on_once_in_any_order(days):
    items = items_of("abcdefgh")
    done, known, absorbed = steps(*map(groups_of, days), items=items), (), ()
    for carried, day in zip(done, days, strict=True):
        groups = [group_of(*group) for group in groups_of(day)]
        assert track_stories(known[::-1], groups[::-1], items, merged=absorbed[::-1]) == carried
        absorbed = absorbed_of(carried, known, absorbed)
        known = known_of(carried, known)
        again = track_stories(known, groups, items, merged=absorbed)
        assert (again.stories, again.events) == (carried.stories, ())


@pytest.mark.parametrize("first", ["abc", "abcdefgh"])
def test_a_thread_begins_when_its_first_article_was_published(first):
    items = items_of("abcdefgh")
    done = steps([first], [first[1:]], items=items)

    for one, two in pairwise(done):
        assert two.stories[0].began_at == one.stories[0].began_at == items["a"].published_at


def test_a_story_before_a_large_event_that_is_like_it_does_not_date_the_thread():
    war = START + timedelta(days=1)
    events = [(war + timedelta(hours=n), 30) for n in range(4)]

    assert start_of_thread([(START, 2), *events]) == war
    assert start_of_thread([(START, 2), (war, 30)]) == START
    assert start_of_thread([(START, 1)]) == START
