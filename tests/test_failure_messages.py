"""Kinds of reasons: their values, their sentences, and how they are kept."""

from __future__ import annotations

import string

import pytest

from watcher.failure_messages import KINDS, FeedKind, FetchKind, HealthKind, PageKind, Reason, TaskKind


def test_no_two_kinds_share_a_name():
    assert len(KINDS) == sum(map(len, (FetchKind, FeedKind, PageKind, TaskKind, HealthKind)))


@pytest.mark.parametrize("kind", KINDS.values())
def test_each_kind_has_a_sentence_and_comes_back_from_json(kind):
    gaps = [(name, form) for _, name, form, _ in string.Formatter().parse(kind.sentence) if name]
    values = {name: 3 if form else Reason(FetchKind.BODY_CUT) if name == "why" else "x" for name, form in gaps}

    reason = Reason(kind, **values)

    assert str(reason) and "{" not in str(reason)
    assert Reason.from_json(reason.to_json()) == reason


def test_one_and_many_are_counted():
    assert str(Reason(HealthKind.SILENT, n=1)) == "nothing new for 1 day"
    assert str(Reason(HealthKind.SILENT, n=1_200)) == "nothing new for 1,200 days"


def test_no_password_is_shown_and_nothing_that_cannot_be_stored():
    reason = Reason(FetchKind.REDIRECT_LOOP, url="https://me:secret@a.example/\ud800")

    assert "secret" not in str(reason)
    str(reason).encode()
