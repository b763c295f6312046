"""The title of an article: which of the things that a page calls itself, without the name of its site."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlsplit

from watcher.clean.phrases import key

TITLES = ("headline", "h1", "og:title", "twitter:title", "parsely-title", "sailthru.title", "dc.title", "title")
MIN_TITLE = 8  # characters that must be left of a title
SEPARATOR = re.compile(r"\s+[|\-–—·•»«:]{1,2}\s+|\s*[|｜_]\s*|：|(?<=\w):\s+(?=\S+$)")
SITE_PREFIX = re.compile(r"^(?:www|m|mobile|amp|edition)\d?\.")


def best_title(titles: dict[str, str], *, site: str, url: str) -> tuple[str, str]:
    """Return the title that most sources say, in the order of `TITLES`, without the site's name; and its source."""
    bare = {name: without_site(text, site=site, url=url) for name, text in titles.items()}
    outlet = _site_names(site, url)
    bare = {name: text for name, text in bare.items() if key(text) not in outlet} or bare
    votes = Counter(key(text) for text in bare.values())
    agreed = [name for name in TITLES if name in bare and key(bare[name])]
    if not agreed:
        return "", ""
    best = max(agreed, key=lambda name: (min(votes[key(bare[name])], 2) if name != "title" else 0, -TITLES.index(name)))
    return bare[best], best


def without_site(title: str, *, site: str, url: str) -> str:
    """Return a title without the name of the site at its end or beginning: "Storm hits coast | The Daily"."""
    names = _site_names(site, url)
    cuts = list(SEPARATOR.finditer(title))
    if cuts and "|" in cuts[-1].group() and cuts[-1].start() >= MIN_TITLE and title.count(" ", cuts[-1].end()) < 3:
        return title[: cuts[-1].start()].strip()
    for cut in reversed(cuts):
        tail = key(title[cut.end() :])
        if (
            tail
            and cut.start() >= MIN_TITLE
            and any(tail == name or (len(tail) > 3 and (tail in name or name in tail)) for name in names)
        ):
            return title[: cut.start()].strip()
    first, colon, rest = title.partition(": ")
    if colon and key(first) in names and len(rest) >= MIN_TITLE:
        return rest.strip()
    if cuts and key(title[: cuts[0].start()]) in names:
        return title[cuts[0].end() :].strip()
    return title


def _site_names(site: str, url: str) -> frozenset[str]:
    """Return the keys of a site's names: as it says, its host, its domain."""
    host = SITE_PREFIX.sub("", (urlsplit(url).hostname or "").lower())
    labels = host.split(".")
    return frozenset(
        {key(site), key(host), key(labels[0]), key(".".join(labels[-2:])), key(labels[-2] if labels[1:] else "")} - {""}
    )
