"""Relays: reports that say in title or lead that they have the news from an agency, or carry another's headline."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Self

from digests.analysis.country_names import load_data
from digests.analysis.titles import title_without_outlet
from digests.cluster.near_duplicates import NOTE
from watcher.clean.agencies import MARK, mark_agency_names
from watcher.features.extract import LEAD_WORDS
from watcher.model import Article
from watcher.text.words import fold, stems, words

# What two reporters hardly find alike in a headline (docs/decisions/0066): ten words at its beginning, or eight stems
# in any order that are four fifths of those of both.
_HEADLINE_WORDS, _HEADLINE_STEMS, _SAME_STEMS = 10, 8, 0.8
_MAX_ORIGINS = 200  # reports of a story that a headline is compared with
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
    Return the report whose headline another outlet's report carries, nearly word for word, by the number of the latter.

    It is an agency's, else the earliest. Only where one of the two has no more than a teaser: of longer texts, grouping
    has compared the wording.

    Args:
        reports: Of one story: the agency of each, if it has one, and its first article.
    """
    order = sorted(range(len(reports)), key=lambda n: (reports[n][0] is None, reports[n][1].published_at, n))
    headlines = {number: _Headline.of(reports[number][1]) for number in order}
    origins: list[int] = []
    origin_of: dict[int, int] = {}
    for number in order:
        article = reports[number][1]
        for origin in origins:
            first = reports[origin][1]
            is_copy = article.outlet != first.outlet and headlines[number].is_same(headlines[origin])
            if is_copy and (_is_teaser(first) or _is_teaser(article)):
                origin_of[number] = origin
                break
        else:
            if len(origins) < _MAX_ORIGINS:
                origins.append(number)
    return origin_of


@dataclass(frozen=True, slots=True)
class _Headline:
    beginning: tuple[str, ...]  # the first words, folded
    stems: frozenset[str]

    @classmethod
    def of(cls, article: Article) -> Self:
        return cls(*_read_headline(article.title, title_without_outlet(article), article.language))

    def is_same(self, other: Self) -> bool:
        if len(self.beginning) == _HEADLINE_WORDS and self.beginning == other.beginning:
            return True
        common = len(self.stems & other.stems)
        return common >= max(_HEADLINE_STEMS, _SAME_STEMS * len(self.stems | other.stems))


@lru_cache(_MAX_CACHED)
def _read_headline(title: str, without_outlet: str, language: str) -> tuple[tuple[str, ...], frozenset[str]]:
    return tuple(map(fold, words(title)[:_HEADLINE_WORDS])), frozenset(stems(without_outlet, language))


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
