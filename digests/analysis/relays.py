"""Relays: reports that say in title or lead that they have the news from an agency, or carry another's headline."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache

from digests.analysis.country_names import load_data
from digests.cluster.near_duplicates import NOTE
from watcher.clean.agencies import MARK, mark_agency_names
from watcher.features.extract import LEAD_WORDS
from watcher.model import Article
from watcher.text.words import fold, words

# At its beginning, that two reporters hardly find alike: of 64 pairs of outlets with such titles, 42 visibly share a
# text, and three are doubtful. With eight words there are clear false ones.
_HEADLINE_WORDS = 10
_TEASER_WORDS = LEAD_WORDS + NOTE  # in a longer text the wording shows whose it is (`cluster.near_duplicates`)
_LEAD_CHARS = 400  # of a text: further down, an agency is one source among others
_MAX_CACHED = 8_192  # reports: each story measures its coverage several times
# "Explosions heard in Riyadh: AFP", "AFP: Explosions heard", "… on Sunday (Reuters)"
_AROUND_TITLE = re.compile(rf"^{MARK}\s?:\s|\s?[:–—-]\s{MARK}$|\({MARK}\)$")
_IN_BRACKETS = re.compile(rf"[(\[/]\s?{MARK}\s?[)\]/]")


def relayed_agency(article: Article) -> str | None:
    """Return the agency that a report says it has its news from; None if it names none, or is the agency's own."""
    agency = _find_agency(article.title.strip(), article.text[:_LEAD_CHARS], article.language)
    if agency is None or agency.casefold() in (article.outlet.casefold(), *article.host.split(".")):
        return None
    return agency


def find_headline_origins(reports: Sequence[tuple[str | None, Article]]) -> dict[int, int]:
    """
    Return the report whose headline another outlet's report begins with, word for word, by the number of the latter.

    Only where one of the two has no more than a teaser: of longer texts, grouping has compared the wording.

    Args:
        reports: Of one story: the agency of each, if it has one, and its first article.
    """
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, (_, article) in enumerate(reports):
        beginning = words(article.title)[:_HEADLINE_WORDS]
        if len(beginning) == _HEADLINE_WORDS:
            holders[tuple(map(fold, beginning))].append(number)
    origin_of: dict[int, int] = {}
    for same in holders.values():
        origin = min(same, key=lambda number: (reports[number][0] is None, reports[number][1].published_at, number))
        first = reports[origin][1]
        copies = [number for number in same if reports[number][1].outlet != first.outlet]
        origin_of |= {number: origin for number in copies if _is_teaser(first) or _is_teaser(reports[number][1])}
    return origin_of


def _is_teaser(article: Article) -> bool:
    return len(words(article.text)) < _TEASER_WORDS


@lru_cache(_MAX_CACHED)
def _find_agency(title: str, lead: str, language: str) -> str | None:
    """Return the agency that a title or the first lines of a text credit with the report; None without one."""
    pattern = _pattern(language)
    for text, patterns in ((title, (_AROUND_TITLE, pattern)), (lead, (_IN_BRACKETS, pattern))):
        marked = mark_agency_names(text)
        matches = (each.search(marked.text) for each in patterns if each and marked.names)
        match = next((match for match in matches if match), None)
        if match:
            index = marked.text.index(MARK, match.start())
            if not (match.re is pattern and marked.is_shy(index, language=language)):
                return marked.agency(index)
    return None


@cache
def _pattern(language: str) -> re.Pattern[str] | None:
    patterns = load_data("relays").get(language)
    return re.compile("|".join(patterns).replace("{agency}", MARK), re.IGNORECASE) if patterns else None
