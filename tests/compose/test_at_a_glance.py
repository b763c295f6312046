"""The first lines of an edition: each a sentence or a title of a report, one a story, with what has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.analysis.titles import title_without_outlet
from digests.edition.verify import verify
from tests.compose.factories import END, article, by_id, compose_stories, edition_of, make_context, report, story, world
from tests.compose.test_story_figures import NEW, OLD

CLAIM = "The guards of Brenn said on Monday that a missile of theirs hit the carrier Hollis in the Gulf of Marun."
DENIAL = "The navy of Velden has denied claims by the guards of Brenn that a missile hit the carrier Hollis on Monday."


def texts(edition) -> list[str]:
    return [line.text for line in edition.at_a_glance]


def two_reports(title: str, first: str, *, hours: float = 6, **more) -> list:
    """Return two reports of one event under one title; the second begins with other words."""
    second = first.replace("on Monday", "on Monday evening")
    return [
        article("Alpha", title, first, hours=hours, **more),
        article("Beta", f"{title}, officials say", second, hours=hours + 1, **more),
    ]


def event(place: str, text: str = "", **more) -> list:
    """Return two reports of an event without a figure."""
    first = text or f"The council of {place} opened the new bridge over the river at {place} on Monday, the mayor said."
    return two_reports(f"Council of {place} opens new bridge over the river", first, **more)


def test_a_half_of_the_stories_have_a_line_and_no_more_than_the_settings_say():
    edition, short = edition_of(world()), edition_of(world(), at_a_glance=1)

    assert len(edition.stories) == 4
    assert [line.story for line in edition.at_a_glance] == [story.id for story in edition.stories][:2]
    assert [line.story for line in short.at_a_glance] == [edition.stories[0].id]
    assert edition_of(world(), at_a_glance=0).at_a_glance == ()
    assert edition_of(world()[:1]).at_a_glance == ()


def test_a_line_is_the_first_sentence_of_a_report_with_its_outlet_and_time():
    reports = event("Lindow")

    (line,) = edition_of([reports, event("Marlow", hours=3)]).at_a_glance

    source = by_id(*reports)[line.article_id]
    assert line.offset is not None
    assert source.text[line.offset :].startswith(line.text)
    assert (line.outlet, line.url, line.published_at) == (source.outlet, source.url, source.published_at)
    assert (line.kind, line.figure_change, line.number_change, line.difference) == ("told", None, None, None)


def test_no_line_is_of_an_analysis_where_there_is_news():
    text = "He has opened the new bridge over the river at Lindow on Monday, and cars may use it."
    title = "Council of Lindow opens new bridge over the river"
    reports = [article(name, title, text, hours=hours) for name, hours in (("Alpha", 6), ("Beta", 7))]
    why = "The new bridge over the river that the council of Lindow opens divides the town in two halves."
    analysis = article("Gamma", "Council of Lindow opens bridge, and a wound", why, hours=9, kind="analysis")

    (line,) = edition_of([[*reports, analysis], event("Marlow", hours=3)]).at_a_glance

    assert line.article_id != analysis.id


@pytest.mark.parametrize(
    "first",
    [
        "The documents surfaced after the council of Lindow opened the new bridge over the river on Monday.",
        "He has opened the new bridge over the river at Lindow on Monday for the council, and all cars may use it.",
        "Why the council of Lindow opened the new bridge over the river.",
        "The council of Lindow " + "and the mayor and the workers and the guests " * 6 + "opened the new bridge.",
    ],
)
def test_a_sentence_that_needs_the_text_before_it_or_is_long_is_no_line(first):
    edition = edition_of([event("Lindow", first), event("Marlow", hours=3)])

    assert first not in texts(edition)


def test_a_sentence_on_what_happened_before_the_period_is_no_line():
    now = "The council of Lindow opened the new bridge over the river after a flood this week."
    before = now.replace("this week", "earlier this year")

    assert now in texts(edition_of([event("Lindow", now), event("Marlow", hours=3)]))
    assert before not in texts(edition_of([event("Lindow", before), event("Marlow", hours=3)]))


def test_the_line_is_a_title_where_the_first_sentence_is_long():
    guests = "the mayor of the city, the workers of three yards, the guests of honour, the county's engineers, "
    first = f"The council of Lindow, {guests * 2}and children opened the new bridge over the river on Monday."

    edition = edition_of([event("Lindow", first), event("Marlow", first.replace("Lindow", "Marlow"), hours=3)])

    (line,) = edition.at_a_glance
    assert line.offset is None
    assert line.text != edition.stories[0].title


def test_a_headline_of_the_world_is_a_line_before_a_story_on_a_light_topic():
    long = "The council of {place}, " + "the mayor of the city, the workers of three yards, the guests of honour, " * 3
    plain = [
        event(
            place, f"{long.format(place=place)}and children opened the bridge on Monday.", section="World", hours=hours
        )
        for place, hours in (("Lindow", 6), ("Marlow", 3))
    ]
    plain = [[replace(each, title=plain[at][0].title) for each in reports] for at, reports in enumerate(plain)]
    light = event("Dressel", section="Sport", hours=9)

    edition = edition_of([*plain, light, event("Orlen", section="Sport", hours=9)])

    assert [line.text for line in edition.at_a_glance] == [story.title for story in edition.stories[:2]]


@pytest.mark.parametrize(
    ("first", "is_line"),
    [
        ("The council of the city opened the new bridge over the river in Kenya on Monday, its mayor said.", True),
        ("The council of the city opened the new bridge over the river on Monday, its mayor said.", False),
    ],
)
def test_a_line_names_the_place_of_the_headline(first, is_line):
    title = "Council in Kenya opens new bridge over the river"

    edition = edition_of([two_reports(title, first), event("Marlow", hours=3)])

    assert edition.stories[0].title.startswith(title)
    assert (edition.at_a_glance[0].text.startswith(first[:40])) is is_line


def test_a_headline_before_the_first_sentence_is_no_line():
    reports = [replace(each, text=f"{each.title}. {each.text}") for each in event("Lindow")]

    (line,) = edition_of([reports, event("Marlow", hours=3)]).at_a_glance

    assert line.text.startswith("The council of Lindow opened")


def test_a_title_with_the_name_of_a_site_behind_it_is_no_line():
    first = "The documents surfaced after the council of Lindow opened the new bridge over the river on Monday."
    reports = [replace(each, title=f"{each.title} - how it works - Loppy") for each in event("Lindow", first)]

    edition = edition_of([[*reports, article("Gamma", "Council of Lindow opens bridge over the river", hours=9)]])

    assert all(line.story != edition.stories[0].id or " - " not in line.text for line in edition.at_a_glance)


def test_stories_with_a_figure_come_before_bigger_ones_without():
    crash = "train left the track near Orlen in Kenya on Monday"
    more = "Soldiers brought blankets and water to the school of Dressel during the night."
    bodies = (f"Nine people were killed when a {crash}, police said.", f"A {crash}, and nine people were killed.")
    title = "Nine people killed as train leaves the track near Orlen in Kenya"
    killed = [article(f"Rail {n}", title, f"{text}\n{more}", hours=4 + n) for n, text in enumerate(bodies)]
    big = [[*event(place), *event(place, hours=9)[:1]] for place in ("Lindow", "Marlow", "Dressel")]
    edition = edition_of([*big, killed], weights={"words": {"train": -3}})

    assert edition.stories[-1].title.startswith("Nine people")
    assert [line.story for line in edition.at_a_glance] == [edition.stories[0].id, edition.stories[-1].id]
    assert "nine people were killed" in texts(edition)[1].lower()


def test_a_changed_figure_is_told_by_its_newest_report():
    edition = edition_of([[*OLD, *NEW], event("Marlow", hours=3)])

    (line,) = edition.at_a_glance
    (change,) = edition.stories[0].figure_changes
    assert (line.kind, line.figure_change) == ("changed", change)
    assert "19 people were killed" in line.text


def test_a_figure_that_a_later_report_contradicts_is_no_line():
    text = "A ferry sank off Varga in Norway on Monday and 7 people were killed, the coast guard said."
    early = two_reports("Ferry sinks off Varga in Norway, 7 people killed", text)
    later = article("Gamma", "Ferry sinks off Varga in Norway, 900 people killed", "The coast guard said so.", hours=9)

    alone, together = (edition_of([reports, event("Marlow", hours=3)]) for reports in (early, [*early, later]))

    assert "7 people" in texts(alone)[0]
    assert together.stories[0].figure_changes == ()
    assert all("7 people" not in text for text in texts(together))


def test_what_reports_disagree_on_is_a_line_with_both_figures():
    first, second = (
        article(
            outlet,
            "Ferry sinks off Varga in Norway",
            f"A ferry sank off Varga in Norway on Monday and {n} people were killed, the {who} said in the evening.",
            hours=6,
        )
        for outlet, n, who in (("Alpha", 7, "coast guard"), ("Beta", 12, "harbour office"))
    )

    edition = edition_of([[first, second], event("Marlow", hours=3)])

    line = next(line for line in edition.at_a_glance if line.difference)
    assert line.kind == "disputed"
    assert line.difference in edition.stories[0].differences
    assert line.difference.details[0].text in line.text


def test_a_rejected_claim_is_told_by_its_rejection():
    reports = [
        article("Alpha", "Guards of Brenn say a missile hit the carrier Hollis", CLAIM, hours=5),
        article("Beta", "Guards of Brenn claim a missile hit on the carrier Hollis", CLAIM, hours=5.5),
        article("Gamma", "Velden denies that a missile hit the carrier Hollis", DENIAL, hours=7),
        article("Delta", "Navy of Velden denies missile hit on the carrier Hollis", f"{DENIAL} It sails.", hours=8),
    ]

    edition = edition_of([reports, event("Marlow", hours=3)])

    (line,) = edition.at_a_glance
    assert line.kind == "disputed"
    assert "denie" in line.text


def test_a_denial_of_one_outlet_does_not_make_a_story_disputed():
    reports = [
        *event("Lindow"),
        article("Gamma", "Council of Lindow denies delay of new bridge over the river", DENIAL, hours=7),
    ]

    edition = edition_of([reports, event("Marlow", hours=3)])

    assert [line.kind for line in edition.at_a_glance] == ["told"]


def test_what_is_new_since_the_last_edition_is_the_line_of_a_story_and_a_story_without_news_has_none():
    before = edition_of([event("Lindow"), event("Marlow", hours=3)])
    shut = "The council of Lindow shut the new bridge over the river on Tuesday because of"
    fresh = [
        article(
            outlet, "Council of Lindow shuts new bridge over the river", f"{shut} {why}, Ana Tarn said.", hours=hours
        )
        for outlet, why, hours in (("Alpha", "cracks in a pillar", 23), ("Gamma", "deep cracks in one pillar", 23.1))
    ]

    storm = [report(f"C{n}", "Storm", "Chile", 77, hours=11 + n) for n in range(2)]
    same = make_again(before, [event("Lindow"), event("Marlow", hours=3), storm])
    moved = make_again(before, [[*event("Lindow"), *fresh], event("Marlow", hours=3), storm])

    assert {line.story for line in same.at_a_glance}.isdisjoint(story.id for story in before.stories)
    (line,) = moved.at_a_glance
    assert line.kind == "changed"
    assert line.quote in next(story for story in moved.stories if story.id == line.story).updates


def test_what_is_new_beside_the_headline_is_no_line():
    before = edition_of([event("Lindow"), event("Marlow", hours=3)])
    aside = "Three divers of Lindow waited on Tuesday beside an ambulance from Tarn."
    title = "Council of Lindow shuts new bridge over the river as pillar cracks"
    fresh = [article(outlet, title, aside, hours=hours) for outlet, hours in (("Alpha", 23), ("Gamma", 23.1))]

    storm = [report(f"C{n}", "Storm", "Chile", 77, hours=11 + n) for n in range(2)]
    moved = make_again(before, [[*event("Lindow"), *fresh], event("Marlow", hours=3), storm])

    assert [each.text for shown in moved.stories for each in shown.updates] == [aside]
    assert aside not in texts(moved)


def make_again(before, groups):
    """Return the edition of the same window, made an hour later, of which the reader has seen `before`."""
    articles = by_id(*(each for group in groups for each in group))
    seen = replace(before, window_end=END)
    articles = {
        key: replace(each, fetched_at=END) if each.published_at > END.replace(hour=4) else each
        for key, each in articles.items()
    }
    context = make_context(articles, earlier_editions=(seen,))
    return compose_stories([story(*group) for group in groups], context)


def test_two_stories_that_say_the_same_have_one_line():
    again = [replace(each, id=f"{each.id[:15]}z", outlet=f"{each.outlet} Post") for each in event("Lindow")]

    edition = edition_of([event("Lindow"), again, event("Marlow", hours=3), event("Dressel", hours=4)])

    assert len(edition.stories) == 4
    assert len(set(texts(edition))) == len(texts(edition)) == 2


WORDS = st.text(st.sampled_from('abcde .,:;-“”"?!<>&*_[]()|\n0123456789éßя日'), max_size=120)


@pytest.mark.slow
@given(st.lists(st.tuples(WORDS, WORDS), min_size=4, max_size=8))
@settings(max_examples=25, deadline=None)
def test_every_line_is_word_for_word_in_an_article_whatever_the_texts_are(pairs):
    good = [
        report(f"N{n}", "Flood", place, 300, hours=3) for n, place in enumerate(("Nepal", "Kenya", "Chile", "Peru"))
    ]
    odd = [article(f"O{n}", title, f"{text} flood", hours=4 + n) for n, (title, text) in enumerate(pairs)]

    edition = edition_of([[one, two] for one, two in zip(good, odd[:4], strict=True)])

    known = by_id(*good, *odd)
    for line in edition.at_a_glance:
        source = known[line.article_id]
        at = line.offset
        own = title_without_outlet(source) if at is None else source.text[at : at + len(line.text)]
        assert line.text == own
    assert len({line.story for line in edition.at_a_glance}) == len(edition.at_a_glance)
    assert [fault for fault in verify(edition, known) if fault.where.startswith("first line")] == []


def test_the_line_of_a_story_that_has_moved_is_its_latest_headline():
    def moved(name, outlets, headline, text, later, confirmed):
        first = [article(f"{name} Post {n}", headline, text, hours=n) for n in range(outlets)]
        last = article(f"{name} Star", later, f"He was held in {name} on Monday evening.", hours=22)
        return [*first, article(f"{name} Gull", confirmed, "", hours=21), last]

    dam = moved(
        "Ostrand",
        5,
        "Dam above Ostrand breaks, valley evacuated",
        "The dam above the town of Ostrand broke on Monday, and the valley was evacuated, the police said.",
        "Owner of broken Ostrand dam arrested at the border",
        "Ostrand dam: police say that they have arrested the owner of the power company",
    )
    ferry = moved(
        "Tarvola",
        3,
        "Ferry sinks off Tarvola, passengers saved",
        "A ferry sank off the port of Tarvola on Monday, and all passengers were saved, the coastguard said.",
        "Captain of sunken Tarvola ferry questioned by prosecutors",
        "Prosecutors in Tarvola hear the captain until midnight, relatives wait outside",
    )

    edition = edition_of([dam, ferry, *world()[:3]])

    (moved_on,) = (story for story in edition.stories if "Tarvola" in story.title)
    lines = {line.story: line.text for line in edition.at_a_glance}
    assert lines[moved_on.id] == ferry[-1].title


def test_another_line_than_the_sentence_that_tells_a_story_is_at_the_top():
    titles = (
        "Council of Dressel votes to close the old harbour",
        "Dressel votes on harbour: council will close it in May",
    )
    first = "The council of Dressel voted on Monday to close the old harbour, the mayor said."
    other = "They had waited for hours in the town hall, where the debate went on until the evening."
    reports = [
        article("Post", titles[0], first, hours=5, section="World"),
        article("Bee", titles[1], other, hours=6, section="World"),
    ]
    light = [event(place, section="Sport", hours=9) for place in ("Lindow", "Marlow")]

    edition = edition_of([world()[0], reports, *light])

    (shown,) = (each for each in edition.stories if each.title in titles)
    assert [sentence.text for sentence in shown.summary] == [first]
    assert {shown.title, *(line.text for line in edition.at_a_glance if line.story == shown.id)} == set(titles)


def test_a_line_has_the_headlines_figure_or_none():
    title = "Ferry sinks off Varga in Norway, 7 people killed"
    text = "A ferry sank off Varga in Norway on Monday and 7 people were killed, the coast guard said."
    other = article("Gamma", "Ferry off Varga in Norway sinks with 6 people killed", text.replace("7", "6"), hours=9)
    bare = [article(f"Bare {number}", title, "", hours=8 + number / 10) for number in range(3)]

    edition = edition_of([[other, *bare], event("Marlow", hours=3)])

    assert edition.stories[0].title == title
    assert not any("6 people" in text for text in texts(edition))
