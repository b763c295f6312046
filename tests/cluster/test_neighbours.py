"""The stories that may be on the event of another one, from the probabilities of pairs of reports."""

from digests.cluster.linkage import Edges
from digests.cluster.neighbours import Neighbours, PairScores, find_nearest_reports, find_neighbours
from digests.model.story import Story, WireGroup
from tests.cluster.factories import make_edges

REPORTS = (("a",), ("b", "b2"), ("c",), ("d",))
OUTLETS = {"a": "Post", "b": "Herald", "b2": "Gazette", "c": "Post", "d": "Bee"}


def make_story(key: str, *reports: tuple[str, ...]) -> Story:
    articles = tuple(article for report in reports for article in report)
    return Story(id=key, articles=articles, wire_groups=tuple(WireGroup(articles=report) for report in reports))


STORIES = (make_story("s1", REPORTS[0]), make_story("s2", REPORTS[1], REPORTS[2]), make_story("s3", REPORTS[3]))


def neighbours(edges: Edges, outlets: dict[str, str] = OUTLETS) -> dict[str, Neighbours]:
    return find_neighbours(STORIES, PairScores(reports=REPORTS, edges=edges), outlets)


def test_the_outlets_of_probable_reports_are_expected_by_their_probability():
    found = neighbours(make_edges([(0, 1, 0.4), (0, 2, 0.3), (2, 3, 0.2)]))

    assert found["s1"].outlets == 0.8  # two with one text; the Post has the story itself
    assert found["s2"].outlets == 0.2
    assert found["s3"].outlets == 0.2


def test_an_outlet_with_two_reports_counts_by_the_more_probable_one():
    found = neighbours(make_edges([(3, 0, 0.2), (3, 2, 0.4)]))

    assert found["s3"].outlets == 0.4


def test_two_stories_are_near_by_the_mean_of_all_their_pairs():
    found = neighbours(make_edges([(0, 1, 0.4), (2, 3, 0.16)]))

    assert found["s1"].stories == {"s2": 0.2}
    assert found["s2"].stories == {"s1": 0.2}  # with s3 the mean is .08
    assert found["s3"].stories == {}


def test_the_articles_of_reports_that_are_near_a_story_on_average_are_named():
    found = neighbours(make_edges([(0, 1, 0.4), (2, 3, 0.18), (2, 0, 0.2)]))

    assert found["s1"].articles == {"b": 0.4, "b2": 0.4, "c": 0.2}
    assert found["s2"].articles == {"a": 0.3}  # with "d" the mean is .09


def test_pairs_within_a_story_and_improbable_ones_say_nothing():
    assert neighbours(make_edges([(1, 2, 0.9), (0, 3, 0.05)])) == {}


def test_articles_that_take_no_part_count_nowhere():
    chosen = {key: outlet for key, outlet in OUTLETS.items() if key not in {"b", "d"}}

    found = neighbours(make_edges([(0, 1, 0.4), (0, 3, 0.4)]), chosen)

    assert found["s1"] == Neighbours(outlets=0.4, stories={"s2": 0.2}, articles={"b2": 0.4})


def test_the_nearest_reports_of_two_sets_are_found_by_their_probability_in_either_order():
    scores = PairScores(reports=REPORTS, edges=make_edges([(0, 1, 0.2), (2, 0, 0.4), (1, 2, 0.9), (0, 3, 0.05)]))

    assert find_nearest_reports(scores, {"a"}, {"b2", "c"}) == ("a", "c", 0.4)
    assert find_nearest_reports(scores, {"a"}, {"b2", "d"}) == ("a", "b2", 0.2)
    assert find_nearest_reports(scores, {"a"}, {"d"}) is None  # below what counts
