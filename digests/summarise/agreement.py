"""What a story's independent reports agree on: the words, names and numbers that several of them use."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import TypeAlias

from digests.analysis.coverage import measure_coverage
from digests.analysis.select import LoadFullTexts, is_flagged
from digests.model import Story
from watcher.model import Article
from watcher.text.words import stems

LEAD_CHARS = 1500  # of a text: the rest is background, which reports share without agreeing on the event
MAX_REPORTS = 40  # independent reports that are compared
SINGLE_FACTOR = 0.2  # times its share, for a word in one report of several
SAMPLE_SIZE = 150  # articles of a language that show which words are common


# By language and stem, from 0 to 1: in document frequencies, the share of a window's articles that use the stem; in an
# agreement, the share of a story's reports × rarity. Numbers count across languages.
DocumentFrequencies: TypeAlias = Mapping[str, Mapping[str, float]]
Agreement: TypeAlias = Mapping[str, Mapping[str, float]]


@lru_cache(maxsize=1024)  # shares are of some hundred articles
def rarity(share: float) -> float:
    """Return how rare a word is that this share of the articles use, from 0 (all use it) to 1 (few do)."""
    return min(1.0, math.log(1 / share) / math.log(100)) if share > 0.01 else 1.0


def count_document_frequencies(articles: Sequence[Article], load_full_texts: LoadFullTexts) -> DocumentFrequencies:
    """Return how common words are in `articles`, from an even sample of each language; takes 0.1 ms per article."""
    by_language: dict[str, list[Article]] = {}
    for article in sorted(articles, key=lambda a: a.id):
        by_language.setdefault(article.language, []).append(article)
    shares = {}
    for language, group in by_language.items():
        sample = group[:: max(1, len(group) // SAMPLE_SIZE)]
        read = load_full_texts(article.id for article in sample).values()
        counts = Counter(chain.from_iterable(map(_stems, read)))
        # Count one empty article more, so that the words of a single article are not all common.
        least = max(len(sample) + 1, 20)
        shares[language] = {stem: count / least for stem, count in counts.items() if count > 1}
    return shares


def total_support(agreed: Agreement, found: Iterable[str], language: str) -> float:
    """Return the sum of the supports of the distinct words in `found`."""
    weights = agreed.get(language, {})
    return sum(weights.get(stem, 0.0) for stem in sorted(set(found)))


def measure_agreement(story: Story, articles: Mapping[str, Article], known: DocumentFrequencies) -> Agreement:
    """Return what the independent reports of `story` agree on; each report counts once, however many copies it has."""
    origins = [articles[key] for key in measure_coverage(story, articles).origins]
    reports = [article for article in origins if not is_flagged(article)][:MAX_REPORTS] or origins[:MAX_REPORTS]
    used = [(article.language, _stems(article)) for article in reports]
    everywhere = Counter(chain.from_iterable(found for _, found in used))
    support: dict[str, dict[str, float]] = {}
    for language in dict.fromkeys(language for language, _ in used):
        among = [found for other, found in used if other == language]
        counts = Counter(chain.from_iterable(among))
        share_of = [_share(count, len(among)) for count in range(len(among) + 1)]
        shares = known.get(language, {})
        support[language] = {
            stem: (_share(everywhere[stem], len(used)) if stem[0].isdigit() and len(stem) > 1 else share_of[count])
            * rarity(shares.get(stem, 0.0))
            for stem, count in counts.items()
        }
    return support


def _share(count: int, among: int) -> float:
    """Return the share of the `among` reports that have a word; less if it is one of several."""
    return count / among if count > 1 or among == 1 else SINGLE_FACTOR / among


def _stems(article: Article) -> set[str]:
    return set(stems(f"{article.title}\n{article.text[:LEAD_CHARS]}", article.language))
