"""A report in own words that has its news from an agency is no second voice beside it."""

from __future__ import annotations

import pytest

from digests.analysis.relays import relayed_agency
from digests.analysis.story_coverage import measure_coverage
from tests.compose.factories import article, by_id, story

TITLE, TEXT = "Loud explosions heard in the east of Riyadh", "Loud explosions were heard in Riyadh on Sunday morning."


@pytest.mark.parametrize(
    ("language", "title", "text", "agency"),
    [
        ("en", f"{TITLE}: AFP", TEXT, "AFP"),
        ("en", TITLE, f"{TEXT[:-1]}, Reuters reported.", "Reuters"),
        ("en", TITLE, f"{TEXT[:-1]}, according to the Associated Press.", "AP"),
        ("en", TITLE, "RIYADH (Reuters) - Loud explosions were heard on Sunday.", "Reuters"),
        ("en", TITLE, "A Reuters journalist heard loud explosions in Riyadh on Sunday.", "Reuters"),
        (
            "de",
            "Explosionen in Riad",
            "In Riad waren laut der Nachrichtenagentur dpa laute Explosionen zu hören.",
            "dpa",
        ),
        ("fr", "Explosions à Riyad", "Plusieurs explosions ont été entendues à Riyad, a appris l'AFP dimanche.", "AFP"),
        ("ru", "Взрывы в Эр-Рияде", "В столице раздались взрывы, сообщает Reuters.", "Reuters"),
    ],
)
def test_a_report_that_says_it_has_its_news_from_an_agency_relays_it(language, title, text, agency):
    assert relayed_agency(article("Herald", title, text, language=language)) == agency


@pytest.mark.parametrize(
    ("outlet", "text"),
    [
        ("Herald", TEXT),
        ("Reuters", f"{TEXT[:-1]}, Reuters reported."),
        ("Herald", f"{TEXT} {'Our reporter saw smoke above the old city. ' * 10} Reuters reported the same."),
        ("Herald", "Shares of Thomson Reuters rose on Sunday after the company raised its forecast for the year."),
    ],
)
def test_an_own_report_and_the_agencys_own_relay_nothing(outlet, text):
    assert relayed_agency(article(outlet, TITLE, text)) is None


def test_relays_of_one_agency_are_one_independent_report():
    reports = [
        article(f"Paper {n}", f"{TITLE}{end}", text, hours=n)
        for n, (end, text) in enumerate(
            [
                (": AFP", TEXT),
                (", smoke over city", f"Smoke rose over the city, AFP reported on Sunday. {TEXT}"),
                (" as war goes on", "Our correspondent heard loud bangs in the east of the city on Sunday morning."),
            ]
        )
    ]

    found = measure_coverage(story(*reports), by_id(*reports))

    assert (found.independent, found.folded, found.agencies) == (("Paper 0", "Paper 2"), ("Paper 1",), ())


def test_an_agencys_text_counts_before_an_earlier_report_that_relays_it():
    relay = article("Herald", TITLE, f"{TEXT[:-1]}, AFP reported.", hours=1)
    wire = article("Post", "Explosions in Riyadh", "Residents heard explosions in the old city.", hours=2, agency="AFP")

    found = measure_coverage(story(relay, wire), by_id(relay, wire))

    assert found.independent == ("Post",)


HEADLINE = "President says ferries carry the army's bridges to Varn as a warning"


@pytest.mark.parametrize(
    ("title", "independent"),
    [
        (f"{HEADLINE} - Herald", ("Post",)),
        (f"{HEADLINE.upper()}!", ("Post",)),
        ("President says ferries carry the army's bridges to Sund as a warning", ("Post", "Herald")),
    ],
)
def test_a_report_with_the_headline_of_an_earlier_one_is_no_second_voice(title, independent):
    first = article("Post", HEADLINE, "The president told a forum that the bridges had left.", hours=1)
    later = article("Herald", title, "Speaking in the capital, the head of state named Varn.", hours=5)

    found = measure_coverage(story(first, later), by_id(first, later))

    assert found.independent == independent


@pytest.mark.parametrize(
    ("title", "independent"),
    [
        ("Nearly forty barges bring grain down the Ostra past the mined locks at Varn, in Brindle: port", ("Post",)),
        ("Forty barges bring grain past mined locks at Brindle", ("Post", "Herald")),
    ],
)
def test_nor_is_one_that_says_the_headline_in_another_order(title, independent):
    headline = "Port of Brindle: forty barges bring grain down the Ostra, past mined locks at Varn"
    first = article("Post", headline, "The port had counted them by noon.", hours=1)
    later = article("Herald", title, "Traders in the town spoke of relief.", hours=5)

    assert measure_coverage(story(first, later), by_id(first, later)).independent == independent


def test_a_headline_is_that_of_the_agency_also_if_another_outlet_was_first():
    early = article("Herald", HEADLINE, "Speaking in the capital, the head of state named Varn.", hours=1)
    wire = article("Wire", HEADLINE, "The president told a forum that the bridges had left.", hours=2, agency="AFP")

    found = measure_coverage(story(early, wire), by_id(early, wire))

    assert (found.independent, found.folded) == (("Wire",), ("Herald",))


def test_of_two_long_texts_under_one_headline_the_wording_tells():
    long = [" ".join(f"{word}{n}" for n in range(90)) for word in ("bridge", "ferry")]
    reports = [article(outlet, HEADLINE, text, hours=1) for outlet, text in zip(("Post", "Herald"), long, strict=True)]

    assert measure_coverage(story(*reports), by_id(*reports)).independent == ("Post", "Herald")


def test_a_short_headline_is_found_by_two_reporters():
    reports = [
        article(outlet, "Singer Mira Varn dies aged 73", f"{outlet} looks back at a life in {n} songs.", hours=n)
        for n, outlet in enumerate(("Post", "Herald"))
    ]

    assert measure_coverage(story(*reports), by_id(*reports)).independent == ("Post", "Herald")


def test_a_headline_copied_from_a_report_that_relays_an_agency_is_the_agencys():
    wire = article("Wire", "Bridges leave", "The army has sent its bridges on the way.", hours=1, agency="AFP")
    relay = article("Post", HEADLINE, "The bridges have left, AFP reported.", hours=2)
    copy = article("Herald", HEADLINE, "Speaking in the capital, the head of state named Varn.", hours=5)

    found = measure_coverage(story(wire, relay, copy), by_id(wire, relay, copy))

    assert found.independent == ("Wire",)
