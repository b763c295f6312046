"""The wording of a text: which of its words are told by the writer, and which are cited."""

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.features.extract import CITED, FLAG_BITS, LEAD, LEAD_WORDS, MAX_SHINGLES, shingles, split_quotes
from watcher.features.renew import renewed
from watcher.model import FEATURES_VERSION, Article, Features

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
TOLD = "The harbour authority closed the northern quay on Monday after a crane fell across two moored ferries."
SAID = "we will pay for every ferry that was damaged"


def values(text):
    sample = shingles(text)
    return struct.unpack(f"<{len(sample) // 4}I", sample)


def cited(text):
    return " ".join(word for word, is_cited in zip(*split_quotes(text), strict=True) if is_cited)


@pytest.mark.parametrize("marks", ["“ ”", "„ “", "„ ”", "” ”", "« »", "«\u00a0 \u00a0»", "» «", '" "', '"" ""', "‘ ’"])
def test_what_stands_between_quotation_marks_is_cited(marks):
    opening, closing = marks.split(" ")

    assert cited(f"{TOLD} {opening}{SAID}{closing}, the mayor said.") == SAID


def test_what_stands_between_two_quotations_is_told():
    assert cited(f'"{SAID}", the mayor of the port told the council at noon, "{SAID}".') == f"{SAID} {SAID}"
    assert cited(f"”{SAID}”, the mayor of the port told the council at noon, ”{SAID}”.") == f"{SAID} {SAID}"


@pytest.mark.parametrize(
    "text",
    [
        f"— {SAID}.",
        f"- {SAID}.",
        f"3. {SAID}.",
        f"The mayor's words:\n{SAID}.",
        f"“{SAID}.\nThat was the end of it.",
        "Quay four closed",
    ],
    ids=["spoken", "in a list", "numbered", "after a colon", "a quotation of several paragraphs", "no sentence"],
)
def test_speech_lists_and_tables_are_cited(text):
    assert cited(text)
    assert not cited(TOLD)


def test_a_row_of_figures_is_cited():
    assert cited("Wheat 201.5 203.0 Barley 155.0 154.5 Maize 177 180 Freight 12.")


def test_an_unclosed_mark_cites_nothing():
    assert cited(f"{TOLD} The “big one, as they call it, is still moored. {TOLD}") == ""


def test_a_shingle_says_whether_it_is_cited_and_at_the_beginning():
    words = [f"word{n}" for n in range(60)]
    flags = {value & (CITED | LEAD) for value in values(f"{' '.join(words)}.\n— {SAID}.")}

    assert flags == {0, LEAD, CITED}
    assert sum(1 for value in values(" ".join(words)) if value & LEAD) == LEAD_WORDS


def test_words_that_are_told_once_and_cited_once_are_told():
    alone = {value >> FLAG_BITS for value in values(SAID)}
    both = values(f"{SAID} {TOLD}\n“{SAID}”")

    assert not any(value & CITED for value in both if value >> FLAG_BITS in alone)
    assert any(value & CITED for value in both)


@given(st.text(alphabet=st.sampled_from(list("ab 1.:-—\n\"'“”„«»‘’「」年港")), max_size=600))
def test_any_text_gives_ascending_hashes_that_differ(text):
    found = values(text)
    hashes = [value >> FLAG_BITS for value in found]

    assert len(found) <= MAX_SHINGLES
    assert hashes == sorted(set(hashes))
    assert shingles(text) == shingles(text)


@pytest.mark.parametrize("mark", ['"', "“", "‘", "’", "”", "«", "»", "「", ":", "(", " ", "\n", "- "])
def test_a_text_of_marks_alone_has_no_wording(mark):
    assert shingles(mark * 30_000) == b""


def test_features_of_an_older_version_are_made_anew(article):
    old = Features(article_id=article.id, version="0", vector=b"\x00\x3c", vector_model="test/1")

    new = renewed(old, article)

    assert new.version == FEATURES_VERSION
    assert (new.shingles, new.vector, new.vector_model) == (shingles(article.text), b"\x00\x3c", "test/1")
    assert renewed(new, article) is new


@pytest.fixture
def article():
    return Article(
        id="0123456789abcdef",
        url="https://post.example/quay",
        host="post.example",
        outlet="Post",
        title="Quay closed",
        text=TOLD,
        language="en",
        country=None,
        published_at=NOW,
        fetched_at=NOW,
    )
