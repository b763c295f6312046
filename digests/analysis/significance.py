"""Of what weight an event is, by the titles of its reports: war and peace, heads of state, elections, rulings."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache

from digests.analysis.country_names import load_data
from digests.analysis.gazetteer import load_gazetteer
from watcher.model import Article
from watcher.text.words import SAME_WORDS, fold, is_unspaced

MATTERS = ("conflict", "state", "election", "ruling")
MIN_NAMING = 2  # outlets that give somebody a title, so that the name counts as that of a head of state
TITLE_WORDS = re.compile(r"[^\W\d_][\w’'-]*")
_LEADER_NAME = r"[^\W\d_a-zß-ÿа-яёіїєґ][\w’'-]+"
LONGEST_NAME = 3  # words


def measure_matters(articles: Iterable[Article], leaders: frozenset[str] = frozenset()) -> dict[str, float]:
    """
    Return for each of `MATTERS` the share of the titles that speak of it; of titles in languages with word lists.

    `leaders`: the folded surnames of heads of state and of government (`find_leaders`).
    """
    known = [article for article in articles if _pattern("state", article.language)]
    counts: defaultdict[str, int] = defaultdict(int)
    for article in known:
        for matter in MATTERS:
            pattern = _pattern(matter, article.language)
            is_named = matter == "state" and leaders and not leaders.isdisjoint(_surnames(article.title))
            if is_named or (pattern and pattern.search(article.title)):
                counts[matter] += 1
    return {matter: counts[matter] / len(known) for matter in MATTERS if counts[matter]}


def find_leaders(articles: Iterable[Article]) -> frozenset[str]:
    """Return the folded surnames of those whom titles of some outlets call president, prime minister or the like."""
    outlets: defaultdict[str, set[str]] = defaultdict(set)
    for article in articles:
        pattern = _title_pattern(article.language)
        for match in pattern.finditer(article.title) if pattern else ():
            if load_gazetteer(article.language).find(match["name"]):  # "президент Ирана"
                continue
            outlets[next(reversed(_surnames(match["name"])))].add(article.outlet)
    return frozenset(name for name, naming in outlets.items() if len(naming) >= MIN_NAMING)


def names_state(text: str, language: str) -> bool:
    """Whether a text speaks of a head of state or of government, or of what they lead: "the prime minister"."""
    pattern = _pattern("state", language)
    return pattern is not None and bool(pattern.search(text))


def _surnames(text: str) -> list[str]:
    """Return the folded words of a text, without the ending of a genitive: "Trump’s"."""
    return [fold(word).replace("’", "'").removesuffix("'s") for word in TITLE_WORDS.findall(text)]


@cache
def _pattern(matter: str, language: str) -> re.Pattern[str] | None:
    """Return the pattern of a language's phrases for a matter, such as "deaths"; None if none are known."""
    listed: Mapping[str, str] = load_data("significance")[matter]
    phrases = [each.replace("_", " ") for each in listed.get(SAME_WORDS.get(language, language), "").split()]
    if not phrases:
        return None
    if is_unspaced(phrases[0]):
        return re.compile("|".join(map(re.escape, phrases)))
    whole = [re.escape(phrase.removesuffix(".")) for phrase in phrases if phrase.endswith(".")]
    begun = [re.escape(phrase) for phrase in phrases if not phrase.endswith(".")]
    # The Premier League has no premier.
    parts = [rf"(?:{'|'.join(whole)})\b(?![\s-]league\b)"] * bool(whole) + [rf"(?:{'|'.join(begun)})"] * bool(begun)
    return re.compile(rf"\b(?:{'|'.join(parts)})", re.IGNORECASE)


@cache
def _title_pattern(language: str) -> re.Pattern[str] | None:
    listed: Mapping[str, str] = load_data("significance")["titles"]
    titles = "|".join(re.escape(each.replace("_", " ")) for each in listed.get(language, "").split())
    if not titles:
        return None
    return re.compile(rf"\b(?i:{titles})\s(?P<name>{_LEADER_NAME}(?:\s{_LEADER_NAME}){{0,{LONGEST_NAME - 1}}})")
