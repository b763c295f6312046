"""Which articles the mute rules of a digest leave out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from digests.analysis.preferences import PHRASE_LEAD_CHARS, active_mute_rules
from digests.model.ledger import LeftOut, LeftOutKind
from digests.settings.digests import MuteSettings
from tests.analysis.test_select import LONG, select
from tests.compose.factories import article
from watcher.model import Source

DAY = date(2026, 3, 10)
SOURCES = (
    Source(url="https://a.example/feed", name="Alpha", tags=("sport", "local")),
    Source(url="https://b.example/feed", name="Beta", tags=("local",)),
    Source(url="https://g.example/feed", name="Gamma"),
)
LATE_LOTTERY = f"{'The council met. ' * 40}The lottery was drawn."
ARTICLES = (
    replace(article("Alpha", "Lottery jackpot is won", LONG), authors=("Zoë Ångström", "Bo Li")),
    article("Beta", "Lottery funds a new bridge", LONG),
    article("Gamma", "A jackpot of 12 million", f"The lottery paid it on Monday. {LONG}"),
    replace(article("Gamma", "Council meets", LATE_LOTTERY), via="Links"),
)


def rules(*mute, day=DAY):
    return active_mute_rules([MuteSettings.model_validate(each) for each in mute], SOURCES, day=day)


@pytest.mark.parametrize(
    ("rule", "muted"),
    [
        ({"words": ["lottery"]}, (0, 1)),
        ({"words": ["LOTTÉRY"], "in": "text"}, (2,)),
        ({"words": ["lottery"], "in": "both"}, (0, 1, 2)),
        ({"words": ["lot*", "council"]}, (0, 1, 3)),
        ({"words": ["lottery"], "unless": ["new bridge"]}, (0,)),
        ({"words": ["lottery"], "sources": ["beta"]}, (1,)),
        ({"words": ["council"], "sources": ["links"]}, (3,)),
        ({"words": ["lottery"], "tags": ["sport"]}, (0,)),
        ({"words": ["lottery", "council"], "sources": ["Gamma"], "tags": ["sport"]}, (0, 3)),
        ({"words": ["lottery"], "tags": ["unused"]}, ()),
        ({"regex": r"\b\d+ million$"}, (2,)),
        ({"regex": r"^(lottery|council) "}, (0, 1, 3)),
        ({"regex": "^the (lottery|council)", "in": "text"}, (2, 3)),
        ({"regex": "jackpot.*the lottery", "in": "both"}, ()),
        ({"authors": ["zoe angstrom"]}, (0,)),
        ({"authors": ["Li"]}, (0,)),
        ({"authors": ["Ång"]}, ()),
        ({"sources": ["Gamma"]}, (2, 3)),
        ({"tags": ["local"]}, (0, 1)),
        ({"sources": ["Gamma", "Beta"], "unless": ["jackpot"]}, (1, 3)),
        ({"words": ["council"], "authors": ["Bo Li"], "regex": "million"}, (0, 2, 3)),
    ],
)
def test_a_rule_mutes_the_articles_that_it_describes(rule, muted):
    kept, left_out = select(ARTICLES, mute_rules=rules(rule))

    assert {each.id for each in kept} == {each.id for n, each in enumerate(ARTICLES) if n not in muted}
    assert sum(each.count for each in left_out) == len(muted)


def test_words_beyond_the_beginning_of_a_text_mute_nothing():
    assert "lottery" not in LATE_LOTTERY[:PHRASE_LEAD_CHARS] and "lottery" in LATE_LOTTERY

    assert len(select(ARTICLES[3:], mute_rules=rules({"words": ["lottery"], "in": "both"}))[0]) == 1


def test_a_rule_counts_on_its_last_day_and_not_on_the_next():
    rule = {"words": ["lottery"], "until": DAY}

    assert len(rules(rule)) == 1
    assert rules(rule, day=DAY + timedelta(days=1)) == ()


def test_the_ledger_counts_each_article_for_the_first_rule_that_mutes_it():
    both = rules({"words": ["lottery", "raffle"]}, {"regex": "jackpot"}, {"words": ["unused"]})

    _, left_out = select(ARTICLES, mute_rules=both)

    assert left_out == (
        LeftOut(kind=LeftOutKind.MUTED, count=2, rule="lottery / raffle"),
        LeftOut(kind=LeftOutKind.MUTED, count=1, rule="jackpot"),
    )


def test_a_rule_of_outlets_alone_is_named_by_them():
    assert MuteSettings.model_validate({"sources": ["Gamma"], "tags": ["local"]}).label == "Gamma / local"


def test_phrases_without_tables_are_one_rule_without_a_label():
    both = active_mute_rules(("lottery", "jackpot"), SOURCES, day=DAY)

    assert select(ARTICLES, mute_rules=both)[1] == (LeftOut(kind=LeftOutKind.MUTED, count=3),)
