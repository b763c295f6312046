"""What a reader follows: first in every form, and in one line when nothing is new."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest

from digests.model.edition import Edition, Section
from digests.render.feeds import story_items
from digests.render.forms import render
from digests.render.localizer import load_phrases
from tests.render.test_ledger import LANGUAGES
from tests.render.test_moved import FORMS, shown

TITLE = "Ferry line 5 to the islands reopens after the storm"


def with_followed(editions, *, days: int = 3, stories: bool = True) -> Edition:
    """Return an edition with a section of followed stories: one in full, if `stories`, and one line."""
    made = editions.small()
    line = replace(editions.brief(5), title=TITLE, status="quiet", quiet_days=days)
    told = (made.sections[0].stories[0],) if stories else ()
    first = Section(title="Stories you follow", anchor="stories-you-follow", stories=told, followed=True)
    return replace(made, sections=(first, *made.sections[1:]) if stories else (first,), briefs=(line,))


@pytest.mark.parametrize("form", FORMS)
def test_the_followed_stories_are_a_section_that_ends_with_those_without_news(editions, form):
    edition = with_followed(editions)
    words = shown(edition, form)
    body = words[words.casefold().rindex("stories you follow") :]

    head, line, next_section = (
        body.index(each) for each in (edition.stories[0].title, f"{TITLE} ", edition.stories[1].title)
    )
    assert head < line < next_section
    assert "nothing new for 3 days" in body[line:next_section]
    assert "listed again" not in body and "Nothing new" not in body
    assert body.count(TITLE) == 1


@pytest.mark.parametrize("form", FORMS)
def test_an_edition_may_have_nothing_but_lines(editions, form):
    words = shown(with_followed(editions, days=14, stories=False), form)

    assert "nothing new for 14 days, listed again only when there is news" in words
    assert "stories you follow" in words.casefold()


def test_a_day_without_a_difference_is_not_counted(editions):
    words = shown(with_followed(editions, days=0), "markdown")

    assert "· nothing new)" in words


def test_the_book_has_the_lines_on_its_page_of_short_news(editions):
    for stories in (True, False):
        book = ZipFile(BytesIO(render(with_followed(editions, stories=stories), ["epub"])[0].body))
        pages = {name: book.read(name).decode() for name in book.namelist() if "xhtml" in name}

        with_line = {name.rpartition("/")[2] for name, text in pages.items() if "nothing new for 3 days" in text}
        assert with_line == {"rest.xhtml"}
        assert "rest.xhtml#part-1" in pages["EPUB/nav.xhtml"]


@pytest.mark.slow
def test_a_mail_that_is_too_large_leaves_the_lines_out_and_says_so(editions):
    edition = editions.long()
    first = Section(title="Stories you follow", anchor="stories-you-follow", stories=(), followed=True)
    line = replace(editions.brief(5), title=TITLE, status="quiet", quiet_days=3)
    large = replace(edition, sections=(first, *edition.sections), briefs=(line, *edition.briefs))

    words = shown(large, "mail")

    assert TITLE not in words and "Stories you follow" not in words
    assert "the stories without news" in words


def test_the_feed_of_the_section_has_its_stories_and_not_its_lines(editions):
    edition = with_followed(editions)

    items = story_items([edition], "example.org", lambda story: None, section="Stories you follow")

    assert [item["title"] for item in items] == [edition.stories[0].headline]
    assert TITLE not in items[0]["content_html"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_is_in_the_language_of_the_edition(editions, language):
    made = replace(with_followed(editions, days=14), language=language)

    words = shown(made, "markdown")

    assert load_phrases(language)["listed_again"] in words
    assert "nothing new" not in words and "{n}" not in words
