"""Which articles take part in an edition."""

from dataclasses import replace
from datetime import timedelta

import pytest

from digests.analysis.preferences import active_mute_rules
from digests.analysis.select import count_left_out, is_flagged, select_articles
from digests.model.ledger import LeftOut, LeftOutKind
from tests.compose.factories import END, START, article

LONG = "The bridge over the river fell on Monday morning, officials said."


def select(articles, **given):
    full = {each.id: each for each in articles}
    given = {"end": END, "load_full_texts": lambda ids: {key: full[key] for key in ids}} | given
    kept, causes = select_articles(articles, start=START, **given)
    return kept, count_left_out(causes.values())


def test_articles_outside_the_window_are_left_out_with_the_reason():
    inside, before, after = (article("A", f"Bridge number {n} falls", LONG, hours=h) for n, h in enumerate((5, -1, 24)))

    kept, left_out = select([before, after, inside])

    assert kept == (inside,)
    assert left_out == (LeftOut(kind=LeftOutKind.OUT_OF_WINDOW, count=2),)


def test_every_article_is_kept_or_counted_with_one_reason():
    articles = [
        article("A", "Bridge falls near the capital", LONG),
        article("A", "Bridge falls near the capital", LONG, hours=13),
        article("B", "", LONG),
        article("B", "Weather", ""),
        article("C", "Lottery numbers of the week", LONG),
        article("C", "Harbour opens again", LONG, hours=30),
    ]

    kept, left_out = select(articles, mute_rules=active_mute_rules(("lottery",), (), day=START.date()))

    assert len(kept) + sum(each.count for each in left_out) == len(articles)
    assert {str(each.kind): each.count for each in left_out} == {
        "duplicate_article": 1,
        "no_title": 1,
        "little_text": 1,
        "muted": 1,
        "out_of_window": 1,
    }


def test_a_muted_word_is_matched_as_a_word_whatever_its_case_and_accents():
    plain, muted = article("A", "Lotteries are taxed anew from May", LONG), article("A", "LOTTERÝ jackpot is won", LONG)

    assert select([plain, muted], mute_rules=active_mute_rules(("lottery",), (), day=START.date()))[0] == (plain,)


def test_an_article_without_text_takes_part_by_its_title():
    bare = article("A", "Bridge over the river Aar falls, two missing", "")

    assert select([bare])[0] == (bare,)


@pytest.mark.parametrize(
    ("title", "text", "is_kept"),
    [
        ("Hamas attacks Israel", "", True),
        ("Live: Gaza", "", False),
        ("Live: Gaza", "Rockets were fired.", False),
        ("Live: Gaza", LONG, True),
        ("東京で大地震", "", False),
        ("東京湾で大きな地震", "", True),
    ],
)
def test_a_headline_alone_needs_the_width_of_a_headline(title, text, is_kept):
    assert bool(select([article("A", title, text)])[0]) == is_kept


def test_a_short_title_of_a_dense_script_is_text_enough():
    assert select([article("A", "東京湾で貨物船が座礁、油が流出", "", language="ja")])[0]


@pytest.mark.parametrize(
    ("kind", "is_kept", "flagged"),
    [
        ("live", False, True),
        ("roundup", False, True),
        ("gallery", True, True),
        ("opinion", True, True),
        ("doubtful", True, True),
        ("article", True, False),
    ],
)
def test_live_blogs_and_round_ups_take_no_part(kind, is_kept, flagged):
    one = article("A", "Bridge falls", LONG, kind=kind)

    kept, left_out = select([one], end=END + timedelta(hours=1))

    assert kept == ((one,) if is_kept else ())
    assert left_out == (() if is_kept else (LeftOut(kind=LeftOutKind.COLLECTION, count=1),))
    assert is_flagged(one) is flagged


def test_texts_that_begin_alike_are_held_against_each_other_to_their_ends():
    one, other, again = (
        article("A", "Bridge falls on Monday", text, hours=hour)
        for hour, text in enumerate((f"{LONG} Nobody was hurt.", f"{LONG} Two were hurt.", f"{LONG} Two were hurt."))
    )
    full = {each.id: each for each in (one, other, again)}
    begun = [replace(each, text=LONG) for each in full.values()]
    asked = []

    def whole(ids):
        asked.append(list(ids))
        return {key: full[key] for key in asked[-1]}

    kept, left_out = select([*begun, article("B", "Bridge falls on Tuesday", LONG)], load_full_texts=whole)

    assert [each.id for each in kept if each.outlet == "A"] == [one.id, other.id]
    assert left_out == (LeftOut(kind=LeftOutKind.DUPLICATE_ARTICLE, count=1),)
    assert asked == [[one.id, other.id, again.id]]
