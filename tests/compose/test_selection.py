"""Selection: which stories are shown in full, which are listed under another one, and which take one line."""

from __future__ import annotations

import dataclasses

from digests.cluster.stories import separate_parts
from digests.compose.edition import compose_edition
from digests.edition.verify import verify
from digests.model import Intake
from tests.compose.factories import END, by_id, make_context, report, story


def test_reports_outside_the_core_of_a_story_are_listed_under_it_and_not_counted():
    core = [report(f"P{n}", "Flood", "Nepal", 300, hours=n) for n in range(3)]
    loose = [report(f"Q{n}", "Fire", "Kenya", 20, hours=n) for n in range(2)]
    articles = by_id(*core, *loose)
    parts = {key: int(each in loose) for key, each in articles.items()}
    whole = dataclasses.replace(story(*loose, *core), thread="t1")
    stories = separate_parts([whole], parts, articles)

    edition = compose_edition(stories, make_context(articles), intake=Intake(), number=1, made_at=END, corrections=())

    (shown,) = edition.stories
    assert (shown.outlets, set(shown.article_ids)) == (3, {each.id for each in core})
    assert [(brief.outlets, brief.title) for brief in shown.related] == [(2, loose[0].title)]
    assert verify(edition, articles) == ()
