"""The outlet's name at the end of a feed's titles."""

import pytest

from watcher.feeds.normalize import RawEntry, RawFeed, RawText, normalize_entries
from watcher.feeds.repeated_endings import MIN_ENDING_TITLES

EVENTS = ["Dam breaks above Lindow", "Ferry Marsk runs again", "Council opens two schools", "Port of Aare is closed"]
TITLES = [f"{event} after the storm of {day} May" for day in range(1, 6) for event in EVENTS]


def read_titles(titles: list[str], host: str = "www.rbc.example") -> list[str]:
    rows = tuple(
        RawEntry(guid=f"g{at}", links=(f"https://{host}/{at}",), title=RawText(value=title))
        for at, title in enumerate(titles)
    )
    entries, _ = normalize_entries(RawFeed(entries=rows), url=f"https://{host}/feed.xml")
    return [entry.title for entry in entries]


@pytest.mark.parametrize("ending", [" - РБК", " | franceinfo", " – Evening Standard", " - GSMArena - GSMArena.com"])
def test_an_ending_that_all_titles_have_is_no_part_of_them(ending):
    assert read_titles([title + ending for title in TITLES]) == TITLES


def test_a_name_of_several_words_goes_where_a_part_of_the_titles_has_it():
    found = read_titles([title + " - The Age" * (at < MIN_ENDING_TITLES) for at, title in enumerate(TITLES)])

    assert found == TITLES


@pytest.mark.parametrize(("ending", "goes"), [(" - The Age", True), (" - Expert", False)])
def test_three_titles_show_a_name_of_several_words_alone(ending, goes):
    titles = [title + ending for title in TITLES[:3]]

    assert read_titles(titles) == (TITLES[:3] if goes else titles)


@pytest.mark.parametrize(
    ("ending", "times"),
    [
        (" - Pentagon", MIN_ENDING_TITLES),  # who says so, in some of the titles
        (" - army says", MIN_ENDING_TITLES),
        (" - The Age", MIN_ENDING_TITLES - 1),
        (" - live", len(TITLES)),  # what kind of report it is
    ],
)
def test_what_belongs_to_a_title_stays(ending, times):
    titles = [title + ending * (at < times) for at, title in enumerate(TITLES)]

    assert read_titles(titles) == titles


def test_a_title_that_would_be_only_a_label_stays_whole():
    titles = [*(f"{title} - Aare Post" for title in TITLES), "Weather - Aare Post"]

    assert read_titles(titles) == [*TITLES, "Weather - Aare Post"]


def test_on_a_platform_the_ending_is_the_channel_whose_report_it_is():
    titles = [f"{title} - Aare Post" for title in TITLES]

    assert read_titles(titles, host="news.google.com") == titles
