"""How copies differ from their origin, in figures and in words."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.cluster.explain import describe_copy, diff_copies
from digests.model import CopyDifference, WireGroup

TITLE = "Crane falls on ferries in Lindhaven"
SENTENCES = (
    "The harbour authority of Lindhaven closed its quay on Monday after a crane fell across two moored ferries.",
    "Nobody was hurt, a spokeswoman said, and divers will look at both hulls before the evening tide.",
    "Traffic to the outer islands goes through the old port until the weekend, with fewer sailings at dawn.",
    "The crane had been inspected in January and no fault was noted, according to the log of the operator.",
    "Two of its four legs gave way while it was being moved along the rails to make room for more steel.",
)
WHOLE = "\n".join(SENTENCES)
OWN = "Here in Norderwisch the harbour master has had every crane looked at since, and found a loose bolt in one."


@dataclass(frozen=True)
class Told:
    title: str
    text: str
    language: str = "en"


def text(*sentences):
    return "\n".join(sentences)


def differs(title, body, *, origin=WHOLE, language="en"):
    told = {"a": Told(TITLE, origin, language), "b": Told(title, body, language)}
    (found,) = diff_copies(WireGroup(articles=("a", "b")), told)
    return found


@pytest.mark.parametrize(
    ("title", "body", "words"),
    [
        (TITLE, WHOLE, "whole"),
        (TITLE.upper(), " ".join(SENTENCES), "whole"),
        (TITLE, f"LINDHAVEN (dpa) - {WHOLE}\n(Mit Material der dpa)", "whole"),
        ("Port shut", WHOLE, "whole, other headline"),
        (TITLE, text(*SENTENCES[:3]), "cut to 55 %"),
        (TITLE, text(*SENTENCES[2:]), "cut to 60 %"),
        (TITLE, WHOLE.replace("closed its quay", "shut its pier").replace("hurt", "injured"), "edited"),
        (TITLE, text(OWN, WHOLE), "20 % added"),
        ("Port shut", text(OWN, *SENTENCES[:2]), "cut to 40 %, 35 % added, other headline"),
        (TITLE, "", "headline alone"),
        (TITLE, "The harbour authority of Lindhaven closed its quay …", "cut to 10 %"),
    ],
)
def test_what_was_done_to_a_copy_is_said(title, body, words):
    assert describe_copy(differs(title, body)) == words


def test_a_copy_in_a_script_without_spaces_is_compared_too():
    one = "港湾局は月曜日、クレーンがフェリー二隻の上に倒れたため埠頭を閉鎖した。"
    two = "けが人はいないと広報担当者は話している。離島への便は旧港から出る。"

    assert describe_copy(differs(TITLE, one, origin=one + two, language="ja")) == "cut to 50 %"


def test_two_headlines_without_a_text_are_the_same():
    assert describe_copy(differs(TITLE, "", origin="")) == "whole"


def test_articles_that_are_not_at_hand_are_left_out():
    told = {"a": Told(TITLE, SENTENCES[0]), "c": Told(TITLE, SENTENCES[0])}

    assert [copy.article_id for copy in diff_copies(WireGroup(articles=("a", "b", "c")), told)] == ["c"]
    assert diff_copies(WireGroup(articles=("b", "a", "c")), told) == ()


@given(st.lists(st.sampled_from([*SENTENCES, OWN, "", "…", "“", "ab"]), max_size=9), st.text(max_size=200))
def test_the_shares_of_any_text_are_shares(sentences, noise):
    found = differs(noise, text(*sentences, noise))

    assert isinstance(found, CopyDifference)
    assert all(0.0 <= share <= 1.0 for share in (found.kept, found.edited, found.added))
    assert describe_copy(found)
