"""What workers keep between tasks."""

from watcher.clean.memory import learn
from watcher.work.tasks import FRESH, LARGE_SITE, memory_of

FURNITURE = (1 << 8 | 5, 2 << 8 | 5, 3 << 8 | 5)


def article(n: int) -> tuple[int, ...]:
    return (*FURNITURE, (1000 + n) << 8 | 40)


def test_a_small_site_is_learnt_anew_with_each_article():
    first = memory_of("small.example", tuple(article(n) for n in range(5)))
    second = memory_of("small.example", tuple(article(n) for n in range(-1, 5)))

    assert first == learn(article(n) for n in range(5))
    assert second == learn(article(n) for n in range(-1, 5))


def test_a_large_site_is_learnt_again_after_some_articles():
    size = LARGE_SITE + 5
    first = memory_of("large.example", tuple(article(n) for n in range(size)))

    soon = memory_of("large.example", tuple(article(n) for n in range(1 - FRESH, size)))
    later = memory_of("large.example", tuple(article(n) for n in range(-FRESH, size)))

    assert soon is first
    assert later == learn(article(n) for n in range(-FRESH, size))


def test_a_site_without_articles_has_no_memory():
    assert memory_of("new.example", ()) is None
