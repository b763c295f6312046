"""A claim beside a report: which figure, name or negation differs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digests.summarise.claims import add_telling_words, compare_claim, forgive_names, parse_claim
from watcher.model import Article

AT = datetime(2026, 11, 24, 6, tzinfo=UTC)


def report(title: str, text: str = "", language: str = "en") -> Article:
    return Article(
        id=title[:16], url="https://one.example/a", host="one.example", outlet="One", title=title, text=text,
        language=language, country="GB", published_at=AT, fetched_at=AT,
    )  # fmt: skip


def differing(claim: str, article: Article, language: str = "en") -> list[tuple[str, str, str]]:
    found = compare_claim(parse_claim(claim, language), article).differences
    return [(each.kind, each.claim, each.report) for each in found]


@pytest.mark.parametrize(
    ("claim", "title", "text"),
    [
        ("Quake kills 12 in Tarvola", "At least 12 dead in Tarvola quake", ""),
        ("Quake kills twelve in Tarvola", "Tarvola quake", "The quake in Tarvola killed 12 people on Monday."),
        ("Some 1,800 people sleep in tents in Tarvola", "Tarvola: 1,834 people in tents", ""),
        ("Mayor Oster will not resign", "Oster says that he won't resign", ""),
        ("Covid-19 closes schools in Tarvola - Harbour Post", "Schools in Tarvola close because of coronavirus", ""),
        ("Tarvola mayor Oster visits France", "Oster, mayor of Tarvola, meets the French president", ""),
    ],
)
def test_a_report_with_the_same_figures_names_and_negation_has_no_difference(claim, title, text):
    assert differing(claim, report(title, text)) == []


@pytest.mark.parametrize(
    ("claim", "title", "difference"),
    [
        ("Quake kills 15 in Tarvola", "At least 12 dead in Tarvola quake", ("figure", "15", "12")),
        ("Tarvola sends 40 trucks", "Tarvola sends 14 trucks over the river", ("figure", "40", "14")),
        ("Tarvola spends 4,500,000 crowns", "Tarvola spends 1,250,000 crowns", ("figure", "4500000", "1250000")),
        ("The mayor of Brindle resigns", "The mayor of Tarvola resigns", ("name", "Brindle", "")),
        ("Tarvola asks Spain for help", "Tarvola asks France for help", ("name", "Spain", "")),
        ("Mayor Oster will not resign", "Mayor Oster will resign on Friday", ("negation", "", "")),
        ("Mayor Oster took bribes", "Mayor Oster denies that he took bribes", ("negation", "", "")),
    ],
)
def test_another_figure_name_or_negation_is_named(claim, title, difference):
    assert difference in differing(claim, report(title))


@pytest.mark.parametrize(
    ("claim", "title", "language", "kinds"),
    [
        ("Trump says that Khamenei is dead", "Трамп заявил о гибели Хаменеи", "ru", []),
        ("Chancellor Merkel says that Khamenei is dead", "Трамп заявил о гибели Хаменеи", "ru", ["name"]),
        ("Quake kills 15 in Germany", "Séisme en Allemagne : 12 morts", "fr", ["figure"]),
        ("Germany will close its border", "L'Allemagne ne fermera pas sa frontière", "fr", ["negation"]),
    ],
)
def test_a_report_in_another_language_is_compared_as_far_as_its_script_allows(claim, title, language, kinds):
    assert [kind for kind, _, _ in differing(claim, report(title, language=language))] == kinds


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("Mayor dismisses theory that the Tarvola bridge was not broken by the quake", "negation"),
        ("Mayor dismisses theory that the Brindle bridge was broken by the quake", "word"),
    ],
)
def test_a_word_by_which_a_claim_differs_from_a_title_that_is_nearly_the_same_is_told(claim, kind):
    title = report("Mayor dismisses theory that the Tarvola bridge was broken by the quake")
    other = report(
        "Quake: the mayor rejects reports on the bridge", "In Brindle and in Tarvola the bridge was not shut."
    )

    asked = add_telling_words(parse_claim(claim, "en"), [title, other])

    assert kind in {each.kind for each in compare_claim(asked, title).differences}
    assert add_telling_words(parse_claim(title.title, "en"), [title, other]).telling == frozenset()


def test_a_name_that_another_report_of_the_event_has_is_forgiven_and_one_that_none_has_is_not():
    claim = parse_claim(
        "The mayor Henrik Oster of Tarvola will meet his friend Petra Moll in Lunden for the talks", "en"
    )
    whole = report("Mayor Henrik Oster of Tarvola met Petra Moll in Brindle")
    part = report("Henrik Oster and Petra Moll met, Tarvola says")
    none = report("Two mayors met")

    settled = forgive_names(claim, [compare_claim(claim, each) for each in (whole, part, none)])

    assert [[each.claim for each in one.differences] for one in settled[:2]] == [["Lunden"], ["Lunden"]]
    assert len(settled[2].differences) > 2
