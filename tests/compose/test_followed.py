"""Followed stories: first in the edition, in a section of their own, or in one line when nothing is new."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Any

import pytest

from digests import edition_json
from digests.edition.verify import verify
from digests.model.edition import Edition
from digests.model.edition_story import Brief
from digests.model.ledger import Intake
from tests.compose.factories import END, article, by_id, compose_stories, make_context, report, story, world
from watcher.model import Article

DAY = timedelta(days=1)


def in_thread(thread: str, *reports: Article):
    return dataclasses.replace(story(*reports), thread=thread)


def followed(thread: str, *reports: Article) -> dict[str, tuple[Brief, Any]]:
    """Return a thread as it is followed: its last report, and when that was published."""
    last = max(reports, key=lambda each: each.published_at)
    brief = Brief(
        id=story(*reports).id, title=last.title, url=last.url, outlet=last.outlet, language=last.language, outlets=1,
        independent=1, article_ids=(last.id,), thread=thread, status="quiet",
    )  # fmt: skip
    return {thread: (brief, last.published_at)}


def compose(groups: Sequence[Sequence[Article]], follows=None, *, number: int = 1, earlier=(), **given: Any) -> Edition:
    """Return the edition of the groups, each a story of the thread t0, t1, …"""
    stories = [in_thread(f"t{n}", *group) for n, group in enumerate(groups)]
    articles = by_id(*(each for group in groups for each in group))
    context = make_context(articles, earlier=by_id(*earlier), followed=follows or {}, **given)
    intake = Intake(entries_seen=len(articles))
    return compose_stories(stories, context, intake=intake, number=number, made_at=END)


def lines(edition: Edition) -> list[tuple[str, int | None]]:
    return [(each.id, each.quiet_days) for each in edition.briefs if each.quiet_days is not None]


@pytest.mark.slow
def test_a_followed_story_is_first_in_a_section_of_its_own_and_takes_no_place():
    groups = world()

    before = compose(groups, digest={"stories": 2})
    edition = compose(groups, followed("t3", *groups[3]), digest={"stories": 2})

    first, *others = edition.sections
    assert (first.title, first.anchor, first.followed) == ("Stories you follow", "stories-you-follow", True)
    assert [(shown.number, shown.title) for shown in first.stories] == [(1, groups[3][0].title)]
    assert [section.title for section in others] == [section.title for section in before.sections]
    assert [shown.title for shown in edition.stories[1:]] == [shown.title for shown in before.stories]
    assert [shown.number for shown in edition.stories] == [1, 2, 3]
    assert not any(section.followed for section in others)
    assert verify(edition, by_id(*(each for group in groups for each in group))) == ()


def test_a_followed_story_is_shown_whatever_its_region_language_and_number_of_outlets():
    arabic = [report("A0", "حريق", "بيروت", 41, language="ar", hours=9)]
    bare = [article("Paper", "Bridge over the river Aar falls, two people missing")]
    video = [article("Post", "Carnival of Basel in spring, seen from above", kind="video")]
    groups = [*world(), arabic, bare, video]
    follows = followed("t5", *arabic) | followed("t6", *bare) | followed("t7", *video)

    edition = compose(groups, follows, digest={"stories": 1, "regions": ["africa"]})

    shown = {each.title for each in edition.sections[0].stories}
    assert shown == {arabic[0].title, bare[0].title, video[0].title}
    assert [each.title for each in edition.sections[1].stories] == [groups[1][0].title]


def test_of_a_followed_thread_one_story_is_in_full_and_the_others_are_under_it_and_none_is_twice():
    flood = [report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]
    aid = [article(f"A{n}", "Tents and medicine arrive in Kathmandu", "Planes bring 20 tents.") for n in range(2)]
    stories = [in_thread("t9", *flood), in_thread("t9", *aid)]
    context = make_context(by_id(*flood, *aid), followed=followed("t9", *flood))

    edition = compose_stories(stories, context)

    (only,) = edition.sections
    (shown,) = only.stories
    assert [brief.title for brief in shown.related] == [aid[0].title]
    assert (edition.briefs, edition.ended) == ((), ())


def next_day(group: Sequence[Article]) -> list[Article]:
    """Return copies of the reports one day later, with other ids."""
    return [
        dataclasses.replace(
            each, id=f"{each.id[:15]}x", published_at=each.published_at + DAY, fetched_at=each.fetched_at + DAY
        )
        for each in group
    ]


def compose_next(
    groups: Sequence[Sequence[Article]], follows, previous: Edition, seen: Sequence[Article], **more
) -> Edition:
    return compose(
        groups, follows, **more, number=2, earlier=seen, earlier_editions=(previous,), local_date=date(2026, 3, 11),
        window_start=END, window_end=END + DAY,
    )  # fmt: skip


def test_a_followed_story_whose_reports_say_nothing_new_is_one_line():
    flood = world()[0]
    first = compose([flood], followed("t0", *flood))
    again = next_day(flood)

    second = compose_next([again], followed("t0", *again), first, flood)

    (section,) = second.sections
    assert (section.followed, section.stories) == (True, ())
    assert [(brief.title, brief.status, brief.quiet_days, brief.day) for brief in second.briefs] == [
        (flood[0].title, "quiet", 0, 2)
    ]
    assert second.ledger.counts["stories_left_out"] == 0


def test_a_followed_story_without_a_report_is_one_line_and_not_among_those_that_have_ended():
    flood, drought, *_ = world()
    first = compose([flood, drought])

    second = compose_next([[], []][:0], followed("t0", *flood), first, [*flood, *drought])

    assert lines(second) == [(story(*flood).id, 1)]
    assert [brief.title for brief in second.ended] == [drought[0].title]
    assert [section.followed for section in second.sections] == [True]
    assert {name: second.ledger.counts[name] for name in ("stories_found", "briefs_shown", "stories_left_out")} == {
        "stories_found": 0, "briefs_shown": 0, "stories_left_out": 0,
    }  # fmt: skip
    assert verify(second, by_id(*flood, *drought)) == ()


@pytest.mark.parametrize(
    ("days", "gap", "listed"),
    [
        (0, 1, True),
        (3, 1, True),
        (13, 1, True),
        (14, 1, True),
        (15, 1, False),
        (15, 7, True),
        (20, 7, True),
        (21, 7, False),
    ],
)
def test_a_line_says_how_many_days_ago_the_last_report_came_and_ends_after_two_weeks(days, gap, listed):
    flood = world()[0]
    last = max(flood, key=lambda each: each.published_at)
    today = date(2026, 3, 10) + timedelta(days=days)
    end = END + timedelta(days=days)
    previous = dataclasses.replace(compose([]), local_date=today - timedelta(days=gap))

    edition = compose(
        [], followed("t0", *flood), earlier=flood, earlier_editions=(previous,), local_date=today,
        window_start=end - DAY, window_end=end,
    )  # fmt: skip

    assert last.published_at < END
    assert lines(edition) == ([(story(*flood).id, days)] if listed else [])
    assert len(edition.sections) == listed


def test_a_first_edition_names_a_followed_story_however_old_its_last_report_is():
    flood = world()[0]
    end = END + 13 * DAY

    edition = compose(
        [], followed("t0", *flood), earlier=flood, local_date=date(2026, 3, 23), window_start=end - DAY, window_end=end
    )

    assert lines(edition) == [(story(*flood).id, 13)]


def test_the_edition_of_a_reader_who_follows_nothing_has_no_trace_of_following():
    edition = compose(world())
    data = edition_json.dump(edition)

    assert b'"followed"' not in data and b"quiet_days" not in data
    assert edition_json.load(data) == edition


def test_what_is_followed_is_stored_with_the_edition():
    flood, drought, *_ = world()

    edition = compose([drought], followed("t0", *drought) | followed("t9", *flood))

    assert edition_json.load(edition_json.dump(edition)) == edition
    assert edition.sections[0].followed and len(lines(edition)) == 1


def test_quiet_stories_are_among_the_briefs_and_what_is_new_keeps_half_of_the_places():
    groups = world()
    new = [[report("P", "Fire", f"Town {n}", 20 + n, hours=9)] for n in range(6)]
    first = compose(groups, {}, digest={"stories": 9})
    again = [next_day(group) for group in (*groups, *new)]

    quiet = [compose_next(again, {}, first, list(chain(*groups)), digest={"stories": 1, "briefs": n}) for n in (0, 4)]

    assert [[brief.status for brief in edition.briefs] for edition in quiet] == [[], ["", "", "quiet", "quiet"]]
