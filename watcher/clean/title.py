"""Chooses the title of an article from the titles in its page, and strips the name of the site."""

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain, pairwise
from urllib.parse import urlsplit

from lxml.etree import _Element

from watcher.clean.page_data import PageElements, element_text
from watcher.clean.phrases import CLASS_NAMES, DATA_NAMES, name_test
from watcher.text.urls import SECOND_LEVEL, host_of
from watcher.text.words import normalize_key

WORTH: dict[str, float] = DATA_NAMES["titles"]  # the votes of each source
TITLES = tuple(WORTH)
MIN_TITLE = 8  # characters that must be left after the site's name is cut
LEAST_NAME = 4  # minimal letters of a partial match between a site's name and the end of a title
MAX_EXTRA_LETTERS = 16  # letters that the end of a title may have besides the site's name
LEAST_START = 16  # minimal letters of a title that is searched in another title
DOTTED = re.compile(r"[.…]|(?<!\s)\s*+$")  # a title that continues like this is cut at the same place
SAID_BEFORE = re.compile(r"[:|–—-]\s+[\"“„»«']?$|[\w-][\"“„»«'-]$")  # what joins a title to words before it
# A run of spaces matches only from its first one, so that matching takes linear time.
SEPARATOR = re.compile(r"(?<!\s)\s++[|\-–—·•»«›:]{1,2}\s+|(?:(?<!\s)\s++)?[|｜ㅣ│_]\s*|：|(?<=\w):\s+(?=\S+$)")
SITE_PREFIX = re.compile(r"^(?:www|m|mobile|amp|edition)\d?\.")


def best_title(titles: dict[str, str], *, site: str, url: str) -> tuple[str, str]:
    """Return the title with the most votes (`WORTH`) without the site's name, and its source; "" twice if none."""
    bare = {name: _strip_site_name(text, site=site, url=url) for name, text in titles.items() if name in WORTH}
    outlet = _site_names(site, url)
    bare = {name: text for name, text in bare.items() if normalize_key(text) not in outlet} or bare
    bare = {name: _complete_title(text, bare.values()) for name, text in bare.items()}
    if "h1" in bare:
        if "headline" not in bare:
            bare = {name: _cut_behind_heading(text, bare["h1"]) for name, text in bare.items()}
        bare["h1"] = _strip_kicker(bare["h1"], [text for name, text in bare.items() if name != "h1"])
    votes: dict[str, float] = defaultdict(float)
    for name, text in bare.items():
        votes[normalize_key(text)] += WORTH[name]
    present_titles = [name for name in TITLES if normalize_key(bare.get(name, ""))]
    if not present_titles:
        return "", ""
    best = max(present_titles, key=lambda name: (votes[normalize_key(bare[name])], -TITLES.index(name)))
    return bare[best], best


def choose_title(title: str, feed_title: str, titles: Iterable[str]) -> str:
    """Return the feed's title if it matches one of the page's `titles` or `title` is empty, else `title`."""
    wanted = normalize_key(feed_title)
    if not wanted:
        return title
    is_known = any(
        one.startswith(wanted) and len(one) <= len(wanted) + MAX_EXTRA_LETTERS for one in map(normalize_key, titles)
    )
    return feed_title if is_known or not title else title


def _complete_title(title: str, others: Iterable[str]) -> str:
    """Return `title`, or the complete one of `others` if it was cut at an unescaped quote or ends with dots."""
    start = title.rstrip(".… ") if title.endswith(("...", "…")) else ""
    return next(
        (
            other
            for other in others
            if (other.startswith(title) and other[len(title) :].strip()[:1] == '"')
            or (len(start) >= LEAST_START and other.startswith(start) and DOTTED.match(other, len(start)) is None)
        ),
        title,
    )


def _cut_behind_heading(title: str, heading: str) -> str:
    """Return a title without the text after the page's heading in it: "Storm hits coast › Northern News"."""
    behind = title[len(heading) :] if len(heading) >= MIN_TITLE and title.startswith(heading) else ""
    return heading if behind and SEPARATOR.match(behind) else title


def _strip_kicker(heading: str, others: Iterable[str]) -> str:
    """Return a heading without the kicker before the title, if one of `others` is the title alone."""
    ends = (other for other in others if len(other) >= LEAST_START and heading.endswith(other) and other != heading)
    return next((end for end in ends if not SAID_BEFORE.search(heading[: -len(end)])), heading)


def _strip_site_name(title: str, *, site: str, url: str) -> str:
    """Return a title without the site's name at its end or start: "Storm hits coast | The Daily"."""
    names = _site_names(site, url)
    cuts = list(SEPARATOR.finditer(title))
    if cuts and "|" in cuts[-1].group() and cuts[-1].start() >= MIN_TITLE and title.count(" ", cuts[-1].end()) < 3:
        return title[: cuts[-1].start()].strip()
    for cut, after in pairwise(cuts):
        if cut.start() >= MIN_TITLE and normalize_key(title[cut.end() : after.start()]) in names:
            return title[: cut.start()].strip()
    for cut in reversed(cuts):
        if cut.start() >= MIN_TITLE and _is_of_site(normalize_key(title[cut.end() :]), names):
            return title[: cut.start()].strip()
    first, colon, rest = title.partition(": ")
    if colon and normalize_key(first) in names and len(rest) >= MIN_TITLE:
        return rest.strip()
    if cuts and normalize_key(title[: cuts[0].start()]) in names:
        return title[cuts[0].end() :].strip()
    return title


def _is_of_site(tail: str, names: frozenset[str]) -> bool:
    """Whether the end of a title is the site's name, a part of it, or the name with another word: "BBC Sport"."""
    if tail in names:
        return True
    return any(
        min(len(tail), len(name)) >= LEAST_NAME
        and len(tail) <= len(name) + MAX_EXTRA_LETTERS
        and (tail in name or name in tail)
        for name in names
    )


def _site_names(site: str, url: str) -> frozenset[str]:
    """Return the names that a title may have for its site: the stated one, and those in the host, normalised."""
    host = SITE_PREFIX.sub("", host_of(url))
    labels = host.split(".")
    domain_name = labels[-2] if labels[1:] else ""
    if domain_name in SECOND_LEVEL and labels[2:]:
        domain_name = labels[-3]
    return frozenset(map(normalize_key, (site, host, labels[0], ".".join(labels[-2:]), domain_name))) - {""}


HEADLINE_LEVELS = ("h2", "h3")  # heading levels of a headline that is not an h1
LEAST_SAME = 8  # minimal letters that a heading must share with a title
is_kicker_class = name_test(CLASS_NAMES["kicker"])
LEAST_BARE = 12  # characters that must be left of a heading without its kicker


def find_headline(elements: PageElements, titles: dict[str, str]) -> _Element | None:
    """Return the headline: the first heading that matches a title of the page, else its only h1, else None."""
    wanted = [name for text in titles.values() if (name := normalize_key(text))]
    headings = [(text, element) for text, element in elements.headings if not _links_to_front_page(element)]
    lower = ((element_text(element), element) for level in HEADLINE_LEVELS for element in elements.tree.iter(level))
    for text, element in chain(headings, lower):
        if any(_is_same_title(normalize_key(text), one) for one in wanted):
            return element
    return headings[0][1] if len(headings) == 1 else None


def _links_to_front_page(heading: _Element) -> bool:
    """Whether a heading links to the front page; then it is the site's name."""
    link = next(heading.iter("a"), None)
    if link is None:
        return False
    href = link.get("href") or "#"
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return "#" not in href and not parts.path.strip("/") and not parts.query


def _is_same_title(name: str, other: str) -> bool:
    """Whether two titles are equal, or one contains the other and is at least half as long."""
    short, long = sorted((name, other), key=len)
    return name == other or (len(short) >= max(LEAST_SAME, len(long) / 2) and short in long)


def heading_text(element: _Element) -> str:
    """Return the text of a heading without a kicker in it: "<span class=kicker>Brexit</span> Talks go on"."""
    kickers = [child for child in element.iterdescendants() if is_kicker_class(child.get("class", ""))]
    if not kickers:
        return element_text(element)
    inside = {inner for child in kickers for inner in child.iter()}
    parts = [element.text or ""]
    for child in element.iterdescendants():
        if isinstance(child.tag, str) and child not in inside:
            parts.append(child.text or "")
        if child.getparent() not in inside:
            parts.append(child.tail or "")
    bare = " ".join("".join(parts).split()).lstrip(" :|–—-/")
    return bare if len(bare) >= LEAST_BARE else element_text(element)
