"""Rejected claims: reports of a story that tell what other reports of it reject, without the rejection."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from functools import cache

from digests.analysis.country_names import load_data
from digests.model.story import Story
from watcher.model import Article
from watcher.text.page_kind import NO_REPORTS
from watcher.text.words import stems

MIN_REJECTING = 2  # outlets whose titles reject a claim
CENTRAL_SHARE = 0.2  # of a story's outlets, from which on the rejection is what the story is about
MIN_SHARED_WORDS = 2  # words of a title that one of the rejecting titles has too, and few titles of the story have
MIN_FAMILY_STEM = 4  # letters of a word that a longer one of the same family begins with
COMMON_SHARE, MIN_COMMON = 1 / 3, 2  # titles of a story in one language, that have a word of its subject


def find_rejected_claims(story: Story, articles: Mapping[str, Article]) -> frozenset[str]:
    """
    Return the ids of the reports of a story whose titles may tell a claim that other reports reject in their titles.

    These are the reports up to the last rejection: all without one in their title if many outlets reject the claim,
    else those whose title has words of a rejecting one. None if outlets confirm the claim after the first rejection.
    """
    known = [articles[key] for key in story.articles if key in articles and articles[key].kind not in NO_REPORTS]
    others = [article for article in known if not _search("rejects", article)]
    if len(others) == len(known):  # as in most stories: what they are about need not be known
        return frozenset()
    subject = _subject_words(others)
    rejecting = [article for article in known if _rejects(article, subject.get(article.language, frozenset()))]
    outlets = {article.outlet for article in rejecting}
    if len(outlets) < MIN_REJECTING:
        return frozenset()
    first, last = (choose(article.published_at for article in rejecting) for choose in (min, max))
    confirming = (each for each in others if each.published_at > first and _search("confirms", each))
    if len({article.outlet for article in confirming}) >= MIN_REJECTING:
        return frozenset()
    is_central = len(outlets) >= CENTRAL_SHARE * len({article.outlet for article in known})

    def tells_claim(article: Article) -> bool:
        own_words = _words(article.title, article) - subject.get(article.language, frozenset())
        return is_central or any(len(own_words & _words(other.title, other)) >= MIN_SHARED_WORDS for other in rejecting)

    return frozenset(article.id for article in others if article.published_at <= last and tells_claim(article))


def has_rejections(reports: Sequence[Article]) -> bool:
    """Whether so many outlets reject something in the titles of a story's reports that the story is about it."""
    rejecting = {article.outlet for article in reports if _search("rejects", article)}
    return len(rejecting) >= max(MIN_REJECTING, CENTRAL_SHARE * len({article.outlet for article in reports}))


def says_rejection(text: str, language: str) -> bool:
    """Whether a title or a sentence tells that somebody rejects something."""
    pattern = _pattern("rejects", language)
    return bool(pattern and pattern.search(text))


def _rejects(article: Article, subject: Set[str]) -> bool:
    """Whether a title rejects a claim on the subject of the story, rather than something else about somebody in it."""
    match = _search("rejects", article)
    if match is None:
        return False
    # What is rejected stands behind the verb; in Turkish or Korean before it.
    behind = _words(article.title[match.end() :], article) or _words(article.title[: match.end()], article)
    # "Iranian claims", where the others write "Iran".
    pairs = (sorted((word, other), key=len) for word in behind for other in subject)
    return any(long == short or (len(short) >= MIN_FAMILY_STEM and long.startswith(short)) for short, long in pairs)


def _subject_words(known: Sequence[Article]) -> dict[str, frozenset[str]]:
    """Return the words that many of the titles have, by language."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for article in known:
        counts[article.language].update(_words(article.title, article))
    size = Counter(article.language for article in known)
    return {
        language: frozenset(
            word for word, count in word_counts.items() if count >= max(MIN_COMMON, COMMON_SHARE * size[language])
        )
        for language, word_counts in counts.items()
    }


def _words(text: str, article: Article) -> frozenset[str]:
    return frozenset(stems(text, article.language))


def _search(name: str, article: Article) -> re.Match[str] | None:
    pattern = _pattern(name, article.language)
    return pattern.search(article.title) if pattern else None


@cache
def _pattern(name: str, language: str) -> re.Pattern[str] | None:
    patterns = load_data("rejections")[name].get(language)
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None
