"""A story is told in its latest state: how its figures changed, and no headline or sentence with an older one."""

from __future__ import annotations

from digests.cluster.neighbours import Neighbours
from digests.compose.story import find_headline
from digests.edition.verify import verify
from digests.render.forms import render
from digests.summarise.headline import choose_headline
from tests.compose.factories import agreement, article, by_id, compose_stories, edition_of, make_context, report, story

OLD_TEXT = (
    "The dam above Lindow in Peru broke on Monday and 15 people were killed, the mayor said.\n"
    "Soldiers brought tents and blankets to the school of Lindow during the night."
)
OLD = [
    article(f"Old {n}", "Dam above Lindow in Peru breaks, 15 people killed", OLD_TEXT, hours=2 + n / 10)
    for n in range(3)
]
NEW = [
    article(
        f"New {n}",
        "Divers look for a guard in Peru as 19 people killed, mayor says",
        "The mayor of Lindow in Peru said that 19 people were killed when the dam broke on Monday.\n"
        "Divers look for the guard of the dam, whose house was carried away by the water.",
        hours=8 + n,
    )
    for n in range(2)
]


def only_story(edition):
    ((shown,),) = (section.stories for section in edition.sections)
    return shown


def test_a_headline_or_sentence_with_an_older_figure_gives_way_to_another():
    told = story(*OLD, *NEW)
    articles = by_id(*OLD, *NEW)

    shown = only_story(edition_of([[*OLD, *NEW]]))

    before = choose_headline(told, articles, agreement(told, articles), languages=["en"])
    assert before is not None and "15 people" in before.text
    assert "19 people" in shown.title
    assert shown.summary and all("15 people" not in sentence.text for sentence in shown.summary)


def test_what_changed_is_told_once_and_is_no_difference():
    shown = only_story(edition_of([[*OLD, *NEW]]))

    (change,) = shown.figure_changes
    assert (change.quantity, change.before.value, change.after.value, change.outlets) == ("killed", 15, 19, 2)
    assert (change.before.text, change.after.mention.outlet) == ("15 people killed", "New 1")
    assert shown.differences == ()


def test_an_older_figure_stays_where_there_is_nothing_else_to_show():
    new = [article(each.outlet, "Перу: 19 погибших при прорыве дамбы", language="ru", hours=9) for each in NEW]

    shown = only_story(edition_of([[*OLD, *new]], languages=["en", "ru"], reads=["en"]))

    assert "15 people" in shown.title


def test_a_line_of_a_story_has_the_latest_state_too():
    articles = by_id(*OLD, *NEW)

    title = find_headline(story(*OLD, *NEW), make_context(articles))

    assert title is not None and "19 people" in title.text


def test_a_line_has_the_newest_figure_of_a_report_that_grouping_keeps_apart():
    russian = [article(each.outlet, "Перу: 19 погибших при прорыве дамбы", language="ru", hours=9) for each in NEW]
    told, near = story(*OLD, *russian), story(NEW[0])
    articles = by_id(*OLD, *russian, *NEW[:1])

    def line(near_ids):
        neighbours = {told.id: Neighbours(articles=dict.fromkeys(near_ids, 0.5))}
        digest = {"reads": ["en"], "stories": 1, "briefs": 1, "must": ["flood"]}
        lead = [report(f"Lead{n}", "Flood", "Nepal", 300, hours=n) for n in range(9)]
        context = make_context(articles | by_id(*lead), digest=digest, neighbours=neighbours)
        edition = compose_stories([story(*lead), told, near], context)
        assert verify(edition, articles | by_id(*lead)) == ()
        return edition.briefs[0]

    assert "15 people" in line(()).title
    newest = line((NEW[0].id,))
    assert newest.title == NEW[0].title and NEW[0].id in newest.article_ids
    assert newest.outlets == line(()).outlets


def test_a_headline_with_an_older_figure_gives_way_to_a_later_one_that_grouping_keeps_apart():
    russian = [article(each.outlet, "Перу: 19 погибших при прорыве дамбы", language="ru", hours=9) for each in NEW]
    later = article("New 3", "Death toll from Peru dam rises to 19 as rain hinders divers", "", hours=11)
    told, near = story(*OLD, *russian), story(later)
    articles = by_id(*OLD, *russian, later)

    def headline(near_ids):
        neighbours = {told.id: Neighbours(articles=dict.fromkeys(near_ids, 0.5))}
        context = make_context(articles, digest={"reads": ["en"]}, neighbours=neighbours)
        edition = compose_stories([told, near], context)
        assert verify(edition, articles) == ()
        text = render(edition, ["text"])[0].body.decode()
        shown = next(each for each in edition.stories if each.id == told.id)
        return shown.title, shown.url, text.count(later.title) > 0, "Later:" in text

    assert headline(())[0] == OLD[0].title
    assert headline((later.id,)) == (later.title, later.url, True, False)


def test_one_later_report_with_a_higher_toll_makes_the_others_headline_old():
    late = article(
        "Late",
        "Dam above Lindow in Peru breaks: 30 people killed",
        "The dam above Lindow in Peru broke on Monday and 30 people were killed, the ministry said.\n"
        "Helicopters carried the injured people from the roofs of Lindow to the hospital of Carrow.",
        hours=13,
    )
    title = "Dam above Lindow in Peru breaks, at least 27 people killed"
    old = [article(f"Old {n}", title, OLD_TEXT.replace("15", "27"), hours=12 + 2 * n) for n in range(2)]

    shown = only_story(edition_of([[*old, late]]))

    assert "30 people" in shown.title
    assert shown.summary and all("27 people" not in sentence.text for sentence in shown.summary)


def test_a_higher_toll_that_the_outlets_behind_it_do_not_have_is_not_the_latest_state():
    high = article("High", "Dam above Lindow in Peru breaks, 40 people killed", OLD_TEXT, hours=1)

    shown = only_story(edition_of([[high, *OLD]]))

    assert "15 people" in shown.title
