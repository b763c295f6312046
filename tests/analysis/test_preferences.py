"""What a reader asks for: words, weights, rules, regions and languages."""

from __future__ import annotations

import pytest

from digests.analysis.preferences import matching_phrases
from digests.compose.rank import rank
from digests.model.ledger import LeftOut, LeftOutKind
from digests.settings.digests import SECTION_REGIONS, SectionRuleSettings
from tests.compose.factories import article, by_id, edition_of, make_context, report, story, world


@pytest.mark.parametrize(
    ("phrase", "title", "found"),
    [
        ("chip", "A chip plant opens", True),
        ("chip", "Chips are sold out", False),
        ("chip*", "CHIPS are sold out", True),
        ("central bank", "The Central  Bank waits", True),
        ("Élysée", "Elysee says no", True),
        ("地震", "函館で地震がありました", True),
        ("*", "anything", False),
        ("c++ (draft", "The c++ (draft) is out", True),
    ],
)
def test_a_phrase_is_found_as_words(phrase, title, found):
    assert (matching_phrases((phrase,), [article("A", title)]) == (phrase,)) is found


def test_a_weight_moves_a_story_and_says_so():
    flood, quake = [article(f"F{n}", "Flood hits Nepal", country="NP") for n in range(3)], [
        article(f"Q{n}", "Quake hits Peru") for n in range(2)
    ]  # fmt: skip
    stories = [story(*flood), story(*quake)]
    weights = {"words": {"quake": 2.0}, "countries": {"PE": 3.0}}

    ranked = rank(stories, make_context(by_id(*flood, *quake), digest={"weights": weights}))

    assert ranked[0].story == stories[1]
    assert ranked[0].score_terms[-1].words == "your weights: “quake” +2, country PE +3"
    assert ranked[0].score == round(sum(term.value * term.weight for term in ranked[0].score_terms), 6)
    assert "reader" not in {term.name for term in ranked[1].score_terms}


def test_a_story_that_must_be_shown_is_told_in_full_however_small():
    edition = edition_of(world(), stories=1, briefs=0, must=("Storm",))

    assert [s.title.split()[0] for s in edition.stories] == ["Storm"]


def test_a_watched_story_is_shown_and_marked_beyond_the_briefs():
    edition = edition_of(world(), stories=1, briefs=0, watch=("storm", "flood"))

    assert [s.watched for s in edition.stories] == [("flood",)]
    assert [(b.title.split()[0], b.watched) for b in edition.briefs] == [("Storm", ("storm",))]


def test_stories_about_other_regions_are_left_out_and_counted():
    edition = edition_of(world(), stories=5, regions=("africa", "CL"))

    assert {s.place_codes for s in edition.stories} == {("KE",), ("CL",)}
    assert LeftOut(kind=LeftOutKind.OTHER_REGION, count=3) in edition.ledger.left_out


def test_words_that_are_asked_for_are_found_in_every_region():
    edition = edition_of(world(), stories=2, briefs=5, regions=("africa",), must=("storm",), watch=("fire",))

    assert {s.title.split()[0] for s in edition.stories} == {"Drought", "Storm"}
    assert [(b.title.split()[0], b.watched) for b in edition.briefs] == [("Fire", ("fire",))]


def test_rules_file_stories_in_sections_of_the_readers_own():
    rules = (
        SectionRuleSettings(section="Weather", words=("flood*", "storm")),
        SectionRuleSettings(section="Asia", countries=("JP",)),
    )

    edition = edition_of(world(), stories=5, section_rules=rules, reads=("en", "ja"))

    assert {section.title: len(section.stories) for section in edition.sections} == {
        "Weather": 2, "Asia": 1, "Africa": 1, "Europe": 1,
    }  # fmt: skip


def test_the_settings_know_the_regions_of_the_gazetteer():
    from digests.analysis.country_names import REGIONS as known

    assert set(SECTION_REGIONS) == set(known) - {"world"}


def test_a_country_whose_outlets_were_read_is_missing():
    group = [
        report("K0", "Drought", "Kenya", 9000, hours=5, country="KE"),
        report("K1", "Drought", "Kenya", 9500, hours=6, country="KE"),
        report("G0", "Drought", "Kenya", 9000, hours=3, country="GB"),
    ]
    votes = ("Ballots in Utah", "Mayor picked by lot", "Who chairs the board?", "Clerk recounts twice")
    read = [[article(f"U{n}", title, f"{title}.", hours=9, country="UG")] for n, title in enumerate(votes)]

    (shown, *_) = edition_of([group, *read], stories=1, kinds={"K0": "public", "G0": "private"}).stories

    assert [(s.group, s.name, s.outlets) for s in shown.silent] == [("country", "UG", 4)]
