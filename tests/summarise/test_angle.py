"""Which report's title is the headline: the event itself, not a local angle; measured on labelled stories."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from digests.model.story import Story
from digests.summarise.agreement import count_document_frequencies, local_angle_test, measure_agreement
from digests.summarise.headline import choose_headline
from tests.compose.factories import article, by_id, story
from tests.demo_press import labels
from watcher.model import Article

DATA = Path(__file__).parent.parent / "data"


def misled(told: Story, articles: dict[str, Article], everything: list[Article], may_lead: set[str]) -> list[str]:
    """Return the wrong headline for each language of a story: one that may not lead, or is in another language."""
    every = by_id(*everything)
    known = count_document_frequencies(everything, lambda ids: {key: every[key] for key in ids})
    agreed = measure_agreement(told, articles, known)
    wrong = []
    for language in {each.language for each in articles.values()}:
        found = choose_headline(told, articles, agreed, languages=[language])
        readable = any(articles[key].language == language for key in may_lead)
        if found.article.id not in may_lead or (readable and found.article.language != language):
            wrong.append(f"{language}: {found.text}")
    return wrong


@pytest.mark.parametrize("half", ["dev", "test", "later"])
def test_the_event_leads_and_not_a_local_angle_of_it(half):
    rows = tomllib.loads((DATA / "headlines.toml").read_text(encoding="utf-8"))["stories"]
    wrong, count = [], 0
    for row in (row for row in rows if row["half"] == half):
        reports = [
            article(outlet, title, text, language=language, country=country, hours=8 + n)
            for n, (outlet, country, language, title, text) in enumerate(row["reports"])
        ]
        may_lead = {reports[n - 1].id for n in row["lead"]}
        wrong += misled(story(*reports), by_id(*reports), reports, may_lead)
        count += len({each.language for each in reports})

    print(f"{half}: {count - len(wrong)} of {count} headlines lead with the event; not: {wrong}")
    assert len(wrong) <= 0.05 * count


@pytest.mark.parametrize("day", [1, 2])
@pytest.mark.slow
def test_the_headlines_of_the_sample_press_are_those_that_may_lead(day):
    may_not_lead = tomllib.loads((DATA / "headlines_press.toml").read_text(encoding="utf-8"))["may_not_lead"]
    stories: defaultdict[str, defaultdict[str, list[Article]]] = defaultdict(lambda: defaultdict(list))
    keys = {}
    for key, label in labels(day).items():
        same = {"language": label.language, "country": label.outlet.country, "agency": label.agency, "kind": label.kind}
        hours = 24 * label.day - label.hours
        one = article(label.outlet.name, label.title, label.text, hours=hours, **same)
        stories[label.story][label.report].append(one)
        keys[one.id] = key
    everything = [one for reports in stories.values() for group in reports.values() for one in group]
    wrong, count = [], 0
    for name, reports in stories.items():
        groups = [sorted(group, key=lambda a: a.published_at) for group in reports.values()]
        articles = by_id(*(one for group in groups for one in group))
        if len({one.outlet for one in articles.values()}) > 1:
            may_lead = {key for key in articles if keys[key] not in may_not_lead[name]}
            wrong += misled(story(*groups), articles, everything, may_lead)
            count += len({one.language for one in articles.values()})

    print(f"day {day}: {count - len(wrong)} of {count} headlines of the sample press may lead; not: {wrong}")
    assert len(wrong) <= 0.05 * count


def test_a_title_without_a_word_has_no_angle():
    texts = ("A ferry sank off Bali on Sunday.", "The ferry sank near Bali and 14 people died.", "It sank.")
    reports = [article(f"Paper {n}", "…", text * 3, country="GB", hours=n) for n, text in enumerate(texts)]

    is_local_angle = local_angle_test(story(*reports), by_id(*reports))

    assert not any(map(is_local_angle, reports))
