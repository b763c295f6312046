"""What a story's reports have in common: what they agree on, and which titles lead with a local angle instead."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache
from itertools import chain
from typing import TypeAlias

from digests.analysis.country_names import languages_in
from digests.analysis.gazetteer import countries_in
from digests.analysis.select import LoadFullTexts, is_flagged
from digests.analysis.story_coverage import measure_coverage
from digests.model.story import Story
from watcher.features.extract import capitalized_words
from watcher.model import Article
from watcher.text.words import fold, stems, words

LEAD_CHARS = 1500  # of a text: the rest is background, which reports share without agreeing on the event
MAX_AGREEMENT_REPORTS = 40  # independent reports that are compared
SINGLE_FACTOR = 0.2  # times its share, for a word in one report of several
SAMPLE_SIZE = 150  # articles of a language that show which words are common


# By language and stem, from 0 to 1: in document frequencies, the share of a window's articles that use the stem; in an
# agreement, the share of a story's reports × rarity. Numbers count across languages.
DocumentFrequencies: TypeAlias = Mapping[str, Mapping[str, float]]
Agreement: TypeAlias = Mapping[str, Mapping[str, float]]
READ_CHARS, FIRST_CHARS = 1500, 200  # of a text: for what it names; for where it is, which its first sentence says
MAX_TITLE_COMPARISONS = 12  # reports of other texts that a title is compared with
MAX_LOCAL_SHARE = 1 / 3  # of the other reports that may name the outlet's country, if that country is a local angle
MIN_OTHERS, MIN_CHARS = 2, 30  # reports that must lack a name; of the texts of these, beyond what a title has
SAME_NAME = 0.7  # ratio of `get_close_matches` from which on two spellings may be one name: "Azores", "Açores"


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
    reports = ([article for article in origins if not is_flagged(article)] or origins)[:MAX_AGREEMENT_REPORTS]
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


def local_angle_test(story: Story, articles: Mapping[str, Article]) -> Callable[[Article], bool]:
    """
    Return a function that says whether the title of an article of `story` is a local angle.

    It is one if it names the outlet's own country, or a place in it, which few of the reports of other outlets name at
    all, while most of them name another country; or if its first name is one that none of them has.
    """
    origins = [next((key for key in group.articles if key in articles), "") for group in story.wire_groups]
    own_origin = {key: origins[n] for n, group in enumerate(story.wire_groups) for key in group.articles}

    @cache
    def countries(key: str, chars: int) -> frozenset[str]:
        return countries_in(f"{articles[key].title}\n{articles[key].text[:chars]}", articles[key].language)

    def is_local_angle(article: Article) -> bool:
        """Whether a report tells what an event means for its own country, as other countries' reports do not."""
        others = [articles[key] for key in origins if key and key != own_origin[article.id]][:MAX_TITLE_COMPARISONS]
        foreign = [each for each in others if each.country != article.country]
        here = {article.country}
        if foreign and here <= countries(article.id, 0) and len(foreign) * 2 >= len(others):
            concerned = sum(here <= countries(each.id, READ_CHARS) for each in foreign)
            abroad = sum(bool(countries(each.id, FIRST_CHARS) - here) for each in foreign)
            if concerned <= MAX_LOCAL_SHARE * len(foreign) and abroad * 2 >= len(foreign):
                return True
        whole = [each for each in others if len(each.text) > len(each.title) + MIN_CHARS]
        name = _first_name(article) if len(whole) >= MIN_OTHERS else None
        texts = (part for each in whole for part in (each.title, each.text[:READ_CHARS])) if name else ()
        known = {other for text in texts for other, _ in _capitals(text) if other.isascii()}
        if name is None or not known or name in known:
            return False
        return not get_close_matches(name, known, n=1, cutoff=SAME_NAME)

    return is_local_angle


@lru_cache(maxsize=512)  # the titles of a story are compared with the same texts, for its headline and its sentences
def _capitals(text: str) -> frozenset[tuple[str, bool]]:
    return frozenset(capitalized_words(text))


def _first_name(article: Article) -> str | None:
    """
    Return the first name in a title, if it is one word in its first half, and no known place.

    Other languages spell known places in another way, and translate names of several words ("Silk Road Cup").
    """
    if article.language in languages_in("capital_nouns"):
        return None
    found = words(article.title)
    half = max(1, len(found) // 2)
    capitals = [next((name for name, _ in capitalized_words(word)), "") for word in found[: half + 1]]
    inside = {name for name, is_inside in _capitals(article.text[:READ_CHARS]) if is_inside}
    if inside.isdisjoint(capitals[:half]):
        return None
    small = {fold(word) for word in words(article.text[:READ_CHARS]) if word[0].islower()}
    names = ["" if name in small else name for name in capitals]
    at = next((at for at, name in enumerate(names) if name in inside), half)
    if at >= half or any(names[max(0, at - 1) : at] + names[at + 1 : at + 2]):
        return None
    is_place = countries_in(" ".join(found[max(0, at - 1) : at + 2]), article.language)
    return None if is_place or not names[at].isascii() else names[at]
