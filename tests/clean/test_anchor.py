"""Whether a text is the one that a feed announced."""

import pytest

from watcher.clean.reject import matches_feed_entry

TEXT = "The ferry between the two towns runs again after the harbour office had its engine repaired over the winter."


@pytest.mark.parametrize(
    ("title", "summary", "language"),
    [
        ("Ferry runs again after winter repairs", "Harbour office repaired engine.", "en"),
        ("Fähre", "", "de"),
        ("", "", "und"),
    ],
    ids=["its own words", "too few words", "no words"],
)
def test_a_text_that_shares_words_or_a_feed_that_says_little_raises_no_alarm(title, summary, language):
    assert matches_feed_entry(TEXT, title=title, summary=summary, language=language)


def test_a_text_without_a_word_of_the_feeds_is_another():
    told = {"title": "Parliament passes budget", "summary": "Lawmakers voted for pensions and defence spending."}

    assert not matches_feed_entry(TEXT, **told, language="en")
