"""Which texts of feeds are whole without a mark at their end: many outlets write standfirsts without a full stop."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from watcher.model import Article
from watcher.text.words import fold, words

ELLIPSES = ("…", "...")
END_MARKS = tuple(".!?…:;,-–—\"'”’»“])")  # a text that ends in one of these has an end of its own, or surely none
MAX_CHARS = 500  # of a standfirst
MIN_OPEN = 5  # texts without an end by which an outlet is judged
MAX_CUT = 0.25  # share of these that look cut
MIN_USE = 5  # of a word in the texts of the day, that would end a title or a text once if it ended any
LIMIT_CHARS, MIN_AT_LIMIT = 5, 3  # so many texts that are nearly as long as the longest of their outlet are cut there


def find_whole(articles: Iterable[Article]) -> frozenset[str]:
    """
    Return the ids of the articles whose text, the feed's, has no mark at its end and is whole all the same.

    An outlet cuts its texts if several end in the beginning of a word ("breakthroug"), in a word that ends no title and
    no other text ("the"), or at one length.
    """
    uses: defaultdict[str, Counter[str]] = defaultdict(Counter)
    ends: defaultdict[str, set[str]] = defaultdict(set)
    opened: defaultdict[tuple[str, str], dict[str, tuple[str, int]]] = defaultdict(dict)  # last word and length, by id
    lengths: defaultdict[str, list[int]] = defaultdict(list)
    for article in articles:
        text, language = article.text.rstrip(), article.language
        title, told = (list(map(fold, words(each))) for each in (article.title, text))
        ends[language].update(title[-1:])
        uses[language].update(title)
        lengths[article.outlet].append(len(text))
        if told and not text.endswith(END_MARKS):
            is_short = len(text) <= MAX_CHARS and not any(mark in text for mark in ("\n", *ELLIPSES))
            if article.from_feed and is_short:
                opened[article.outlet, language][article.id] = told.pop(), len(text)
        else:
            ends[language].update(told[-1:])
        uses[language].update(told)
    known = {language: sorted(among) for language, among in uses.items()}
    found: set[str] = set()
    for (outlet, language), texts in opened.items():
        limit = max(lengths[outlet]) - LIMIT_CHARS
        has_limit = sum(length >= limit for length in lengths[outlet]) >= MIN_AT_LIMIT
        whole = {
            key
            for key, (word, length) in texts.items()
            if not (has_limit and length >= limit)
            and (word in ends[language] or not (uses[language][word] >= MIN_USE or _begins(word, known[language])))
        }
        if len(texts) >= MIN_OPEN and len(texts) - len(whole) <= MAX_CUT * len(texts):
            found |= whole
    return frozenset(found)


def _begins(word: str, known: Sequence[str]) -> bool:
    """Whether a word is only the beginning of one of the `known`, sorted."""
    at = bisect_left(known, word)
    return at < len(known) and known[at] != word and known[at].startswith(word)
