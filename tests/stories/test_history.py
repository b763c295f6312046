"""What happened to a story, in words."""

from datetime import UTC, datetime

import pytest

from digests.cluster.tracking import FOLLOWS, LEFT, MOVED
from digests.model.story import MERGED, SPLIT
from digests.store.stories import StoryChangeRow
from digests.stories.history import describe_change


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (MERGED, "s1 was merged into s2 (2 articles): why"),
        (SPLIT, "2 articles of s1 became a story of their own, s2: why"),
        (MOVED, "2 articles of s1 moved to s2: why"),
        (FOLLOWS, "s1 follows s2: why"),
        (LEFT, "s1 left the running story of s2: why"),
    ],
)
def test_each_kind_of_change_is_told_in_words_with_its_reason(kind, words):
    at = datetime(2026, 3, 2, tzinfo=UTC)
    change = StoryChangeRow(at=at, kind=kind, story="s1", other="s2", articles=("a", "b"), reason="why")

    assert describe_change(change) == words
