"""Which outlets carry a story, and which report on their own."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.analysis.story_coverage import measure_coverage, with_owners
from digests.model.story import Story, WireGroup
from tests.compose.factories import article, by_id, story


def test_copies_of_an_agency_fold_behind_the_first_that_has_its_text():
    copies = [article(f"Paper {n}", "Bridge falls", hours=n, agency="AFP") for n in range(4)]
    own = article("Herald", "Bridge over the Aar falls", hours=2.5)

    found = measure_coverage(story(copies, own, agency="AFP"), by_id(*copies, own))

    assert found.independent == ("Paper 0", "Herald")
    assert found.folded == ("Paper 1", "Paper 2", "Paper 3")
    assert found.agencies == (("AFP", 3),)


def test_a_second_version_of_an_agencys_text_is_no_second_voice():
    first = [article("A", "Bridge falls", hours=1), article("B", "Bridge falls", hours=2)]
    second = [article("C", "Bridge falls, two dead", hours=5), article("D", "Two dead", hours=6)]
    reports = (
        WireGroup(articles=tuple(a.id for a in first), agency="AFP"),
        WireGroup(articles=tuple(a.id for a in second), agency="AFP"),
    )
    both = Story(id="s", articles=tuple(a.id for a in (*first, *second)), wire_groups=reports)

    found = measure_coverage(both, by_id(*first, *second))

    assert found.independent == ("A",)
    assert found.folded == ("B", "C", "D")


def test_an_agencys_text_counts_even_if_the_owner_of_its_first_outlet_is_counted():
    own = article("Post", "What the bridge carried", hours=1, owner="Quay")
    sister = article("Ledger", "Bridge falls", hours=2, owner="Quay")
    copies = [sister, article("Standard", "Bridge falls", hours=3), article("Notes", "Bridge falls", hours=4)]
    reports = (WireGroup(articles=(own.id,)), WireGroup(articles=tuple(a.id for a in copies), agency="Reuters"))
    both = Story(id="s", articles=(own.id, *(a.id for a in copies)), wire_groups=reports)

    found = measure_coverage(both, by_id(own, *copies))

    assert found.independent == ("Post", "Standard")
    assert found.agencies == (("Reuters", 2),)
    assert found.origins == (own.id, copies[1].id)


def test_an_agencys_text_counts_for_its_origin_even_if_a_copy_is_older():
    copy = article("Post", "Bridge falls", hours=1)
    wire = article("AFP", "Bridge falls", hours=2, agency="AFP")
    report = WireGroup(articles=(wire.id, copy.id), agency="AFP")
    both = Story(id="s", articles=(copy.id, wire.id), wire_groups=(report,))

    assert measure_coverage(both, by_id(copy, wire)).independent == ("AFP",)


def test_a_copy_of_another_papers_own_report_stays_folded_if_its_owner_is_counted():
    own = article("Post", "What the bridge carried", hours=1, owner="Quay")
    sister = article("Ledger", "Bridge falls", hours=2, owner="Quay")
    copy = article("Standard", "Bridge falls", hours=3)

    found = measure_coverage(story(own, [sister, copy]), by_id(own, sister, copy))

    assert found.independent == ("Post",)
    assert found.folded == ("Ledger", "Standard")


def test_an_outlet_with_the_texts_of_two_agencies_is_counted_as_one_copy():
    first = [article("AFP", "Bridge falls", hours=1), article("Echo", "Bridge falls", hours=2)]
    second = [article("Reuters", "A bridge fell", hours=1), article("Echo", "A bridge fell", hours=3)]
    groups = tuple(
        WireGroup(articles=tuple(each.id for each in texts), agency=agency)
        for texts, agency in ((first, "AFP"), (second, "Reuters"))
    )
    both = Story(id="s", articles=tuple(each.id for each in (*first, *second)), wire_groups=groups)

    found = measure_coverage(both, by_id(*first, *second))

    assert found.folded == ("Echo",)
    assert found.agencies == (("AFP", 1),)


def test_outlets_of_one_declared_owner_are_one_independent():
    sisters = [article(f"Sister {n}", f"Bridge falls {n}", hours=n, owner="Ringwood") for n in range(3)]
    other = article("Herald", "Bridge gone", hours=4, owner="Herald Trust")

    found = measure_coverage(story(*sisters, other), by_id(*sisters, other))

    assert found.independent == ("Sister 0", "Herald")
    assert found.owners == 2


def test_an_outlet_with_an_own_report_and_a_copy_counts_once_as_independent():
    copies = [article("Wire", "Bridge falls", hours=0), article("Herald", "Bridge falls", hours=1)]
    own = article("Herald", "What the bridge carried", hours=3)

    found = measure_coverage(story(copies, own, agency="AFP"), by_id(*copies, own))

    assert found.outlets == ("Wire", "Herald")
    assert found.independent == ("Wire", "Herald")
    assert found.folded == ()


def test_an_outlet_with_a_headline_alone_is_counted_apart_and_never_independent():
    own, other = article("Post", "Bridge falls", hours=1), article("Herald", "Bridge gone", hours=2)
    bare = [article(f"Paper {n}", f"Bridge falls {n}", "", hours=n / 2) for n in range(3)]
    copies = [article("Wire", "Bridge falls", hours=3, agency="AFP"), article("Echo", "Bridge falls", hours=4)]
    also = article("Post", "More on the bridge", "", hours=5)
    both = story(own, other, *bare, copies, also, agency="AFP")

    found = measure_coverage(both, by_id(own, other, *bare, *copies, also))

    assert len(found.outlets) == 7
    assert found.independent == ("Post", "Herald", "Wire")
    assert found.headline_only == ("Paper 0", "Paper 1", "Paper 2")
    assert set(found.folded) == {"Echo", *found.headline_only}
    assert found.agencies == (("AFP", 1),)
    assert found.origins == (own.id, other.id, copies[0].id)


def test_a_copy_of_which_only_the_headline_is_known_is_no_copy_of_an_agencys_text():
    whole = article("Wire", "Bridge falls", hours=1, agency="AFP")
    bare = article("Echo", "Bridge falls", "", hours=0, agency="AFP")

    found = measure_coverage(story([bare, whole], agency="AFP"), by_id(bare, whole))

    assert (found.independent, found.headline_only, found.agencies) == (("Wire",), ("Echo",), ())


def test_a_story_that_all_outlets_have_by_headline_alone_has_no_independent_report():
    bare = [article(f"Paper {n}", f"Bridge falls {n}", "", hours=n, country="GB") for n in range(3)]

    found = measure_coverage(story(*bare), by_id(*bare))

    assert (found.outlets, found.independent) == (found.headline_only, ())
    assert found.folded == found.outlets
    assert found.origins == tuple(each.id for each in bare)
    assert (found.languages, found.countries, found.owners) == (("en",), ("GB",), 0)


@pytest.mark.slow
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 6), st.sampled_from([None, "X", "Y"]), st.integers(0, 23)), min_size=1, max_size=5
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([None, "AFP"]),
)
def test_independent_and_folded_always_part_the_outlets(groups, agency):
    owners = {}
    reports = [
        [
            article(f"P{n}", f"T{r}-{at}", hours=hour, owner=owners.setdefault(n, owner))
            for at, (n, owner, hour) in enumerate(group)
        ]
        for r, group in enumerate(groups)
    ]

    found = measure_coverage(story(*reports, agency=agency), by_id(*[a for group in reports for a in group]))

    assert sorted((*found.independent, *found.folded)) == sorted(found.outlets)
    assert len(found.independent) + len(found.folded) == len(found.outlets)
    assert found.independent
    declared = [owners[int(outlet[1:])] for outlet in found.independent if owners[int(outlet[1:])]]
    assert len(declared) == len(set(declared))


def test_a_live_blog_opinion_or_round_up_is_no_evidence_that_its_outlet_reports_a_story():
    report = article("Post", "Bridge falls", country="GB")
    blog = article("Times", "Live: bridge falls", kind="live", country="FR")
    piece = article("Tribune", "The bridge and us", kind="opinion", country="US")
    briefing = article("Echo", "Morning briefing: a bridge and a vote", kind="roundup", country="DE")

    covered = measure_coverage(story(blog, report, piece, briefing), by_id(blog, report, piece, briefing))

    assert (covered.outlets, covered.independent, covered.countries) == (("Post",), ("Post",), ("GB",))
    assert covered.origins == (report.id,)


def test_an_outlet_that_only_analyses_what_others_report_is_no_independent_report():
    news, more = (
        article(outlet, f"Dam breaks, {outlet} says", hours=hour) for outlet, hour in (("Alpha", 1), ("Beta", 2))
    )
    why = [replace(article(outlet, f"Why it broke: {outlet}"), kind="analysis") for outlet in ("Beta", "Gamma")]

    covered = measure_coverage(story(news, more, *why), by_id(news, more, *why))
    alone = measure_coverage(story(*why), by_id(*why))

    assert (covered.independent, covered.folded, covered.headline_only) == (("Alpha", "Beta"), ("Gamma",), ())
    assert sorted(alone.independent) == ["Beta", "Gamma"]


def test_two_names_of_one_owner_in_the_table_of_outlets_are_one_voice():
    hosts = {"BBC News": "www.bbc.co.uk", "Bbc.com": "www.bbc.com", "Herald": "herald.example"}
    reports = [
        replace(article(outlet, f"Bridge falls, version {n}", hours=n), host=host)
        for n, (outlet, host) in enumerate(hosts.items())
    ]

    owned = with_owners(reports, {"BBC News": "BBC", "Bbc.com": None})
    found = measure_coverage(story(*owned), by_id(*owned))

    assert (found.independent, found.owners) == (("BBC News", "Herald"), 2)


def test_an_outlet_under_two_names_counts_once_under_the_first():
    names = ("Valley News", "Valley.example", "The Valley", "Valley News Australia")
    reports = [article(name, f"Bridge closes {n}", f"Own words {n}.", hours=n) for n, name in enumerate(names)]

    covered = measure_coverage(story(*reports), by_id(*reports))

    assert covered.outlets == covered.independent == ("Valley News", "Valley News Australia")


def test_outlets_of_one_name_in_two_countries_stay_apart_unless_one_comes_by_way_of_another_source():
    here, there = (article("Post", "Bridge closes", "Own words.", country=code, hours=1) for code in ("GB", "US"))
    there = replace(there, outlet="Post News", id="2", host="postnews.com")
    channel = replace(there, outlet="The Post", id="3", via="Video site")
    abroad = replace(there, host="post.com", id="4")
    here = replace(here, host="www.post.co.uk")

    def outlets(*reports):
        return set(measure_coverage(story(*reports), by_id(*reports)).outlets)

    assert outlets(here, there) == {"Post", "Post News"}
    assert len(outlets(here, channel)) == len(outlets(here, abroad)) == 1


def test_the_desks_of_one_publisher_are_one_voice():
    reports = [
        article(name, f"Coach dies {n}", f"Own words {n}.", hours=n)
        for n, name in enumerate(("Valley News", "Valley Sports", "Hill Sports"))
    ]

    covered = measure_coverage(story(*reports), by_id(*reports))

    assert covered.outlets == ("Valley News", "Valley Sports", "Hill Sports")
    assert covered.independent == ("Valley News", "Hill Sports")


def test_a_platform_that_stands_for_an_unknown_channel_is_no_outlet():
    paper = article("Post", "Bridge closes", "Own words.", hours=1)
    video = replace(
        article("YouTube", "Bridge closes now", "Other words.", hours=2), url="https://www.youtube.com/watch?v=1"
    )
    named = replace(video, outlet="Valley News", id="3")

    def count(*reports):
        covered = measure_coverage(story(*reports), by_id(*reports))
        assert covered.independent == covered.outlets
        return set(covered.outlets)

    assert count(paper, video) == {"Post"}
    assert count(paper, named) == {"Post", "Valley News"}
    assert count(video) == {"YouTube"}  # somebody has reported it
