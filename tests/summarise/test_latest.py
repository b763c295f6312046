"""The headline of the latest report, which a story has beside what tells it."""

import dataclasses
from datetime import timedelta

import pytest

from digests import edition_json
from digests.edition.verify import verify
from digests.render.forms import render
from digests.summarise.headline import choose_latest
from tests.compose.factories import START, article, by_id, edition_of

HEADLINE = "Dam above Ostrand breaks, valley evacuated"
TOLD = [(HEADLINE, "en"), ("The dam above the town of Ostrand broke on Monday, and the valley was evacuated.", "en")]
SINCE = START + timedelta(hours=4)


def latest(title, *, hours=9.0, language="en", reads=("en",)):
    return choose_latest(
        [article("Post", title, hours=hours, language=language)], TOLD, reads.__contains__, since=SINCE
    )


def test_a_later_headline_that_says_something_else_of_the_event_is_told():
    assert latest("Owner of broken Ostrand dam arrested at the border") is not None


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("Owner of broken Ostrand dam arrested at the border", {"hours": 5.0}),  # an hour later
        ("Dam breaks above Ostrand, valley is evacuated", {}),
        ("After Monday's dam break: the valley and town of Ostrand evacuated", {}),
        ("Minister opens a new railway station in Lund", {}),
        ("Who is the owner of the broken dam above Ostrand?", {}),
        ("Besitzer des gebrochenen Damms von Ostrand verhaftet", {"language": "de"}),
    ],
)
def test_one_that_is_soon_says_it_again_is_on_another_event_or_only_asks_is_not(title, values):
    assert latest(title, **values) is None


def test_it_stands_in_every_form_and_can_be_verified():
    text = "The dam above the town of Ostrand broke on Monday, and the valley was evacuated, the police said."
    first = [article(f"Post{n}", HEADLINE, text, hours=n) for n in range(1, 4)]
    last = article("Star", "Owner of broken Ostrand dam arrested at the border", "", hours=15)
    known = by_id(*first, last)

    edition = edition_of([[*first, last]])

    (story,) = edition.stories
    assert story.latest is not None and story.latest.article_id == last.id
    assert verify(edition, known) == ()
    assert edition_json.load(edition_json.dump(edition)) == edition
    for form in ("markdown", "html", "text"):
        assert last.title in " ".join(render(edition, [form])[0].body.decode().split())
    early = dataclasses.replace(story, latest=dataclasses.replace(story.latest, published_at=START))
    forged = dataclasses.replace(
        edition, sections=(dataclasses.replace(edition.sections[0], stories=(early,)), *edition.sections[1:])
    )
    assert any("it is not later" in fault.message for fault in verify(forged, known))
