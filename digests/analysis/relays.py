"""Relays: reports in an outlet's own words that say in their title or lead that they have the news from an agency."""

import re
from functools import cache, lru_cache

from digests.analysis.country_names import load_data
from watcher.clean.agencies import MARK, mark_agency_names
from watcher.model import Article

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
