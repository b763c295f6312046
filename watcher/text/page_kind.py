"""Classifies a page as news, opinion, analysis, live blog, round-up, gallery, video or service; see page_kind.toml."""

import re
from collections.abc import Iterable, Set
from itertools import pairwise
from urllib.parse import urlsplit

from watcher.text.toml_data import load_toml
from watcher.text.urls import host_of


def _any_of(patterns: Iterable[str]) -> str:
    """Return one pattern for all. It looks once for the beginning of a word, which takes half the time."""
    words = [pattern for pattern in patterns if pattern.startswith(r"\b")]
    others = [pattern for pattern in patterns if not pattern.startswith(r"\b")]
    return "|".join(([rf"\b(?:{'|'.join(words)})"] if words else []) + others)


_DATA: dict[str, dict[str, list[str]]] = load_toml("watcher.text", "page_kind.toml")
TITLES, ADDRESSES, SECTIONS, TEXTS, HOSTS = (
    {kind: re.compile(_any_of(patterns), re.IGNORECASE) for kind, patterns in _DATA[name].items()}
    for name in ("titles", "addresses", "sections", "texts", "hosts")
)
# Types of schema.org, in lower case.
SCHEMA_TYPES = {
    "opinionnewsarticle": "opinion",
    "analysisnewsarticle": "analysis",
    "backgroundnewsarticle": "analysis",
    "reviewnewsarticle": "service",
    "recipe": "service",
}
NEWS = "article"
DOUBTFUL = "doubtful"  # kind of an article whose text is probably not the article's: it is not quoted
OPINION, ANALYSIS, SERVICE = "opinion", "analysis", "service"
COUNTED_OPINION = "counted opinion"  # kind of an opinion piece in a digest that counts it as a report
WITHDRAWN = "withdrawn"  # kind of a report that its outlet corrected or took back, and of a copy of it
REJECTED = "rejected claim"  # kind of a report that tells without a rejection what other reports reject
WITHHELD = frozenset({WITHDRAWN, REJECTED})  # kinds of reports that are counted, and never told
REPORTS = frozenset({NEWS, ANALYSIS})  # kinds that can be the headline of a story, and be quoted
COLLECTIONS = frozenset({"live", "roundup"})  # kinds with many events on a page: no report of any one of them
NO_REPORTS = COLLECTIONS | {OPINION, SERVICE, "gallery"}  # kinds that do not count as a report of an event
# Kinds of stored articles.
STORED_KINDS = frozenset({NEWS, ANALYSIS, OPINION, SERVICE, "gallery", "video", DOUBTFUL}) | COLLECTIONS
MAX_FILM_LETTERS = 600  # a gallery or video page has little more text than this
EDGE_CHARS = 700  # of a text's beginning and end: what says that it is a comment stands there
CLOCK = re.compile(r"^\W{0,3}([01]?\d|2[0-3])\s?[:.h]\s?([0-5]\d)(?!\d|[.:/]\d)")
MIN_FALLING_TIMES = 4  # paragraphs that begin with times of day, newest first: a live blog
MIN_ORDERED_TIMES = 6  # the same, mostly in one order
ORDERED = 0.8  # share of the steps in one direction; in other lists, such as concerts, times are in random order


def classify_kind(title: str, *, url: str = "", text: str = "") -> str:
    """Return the kind of an article without its page, by its title, URL and text, one paragraph a line."""
    # "Leaders hold conference - watch live - Harbour Post": what stands at the end may be the outlet.
    ends = (title, title.rpartition(" - ")[0])
    is_live = any(is_title_of("live", end) for end in ends)
    if is_live or is_address_of("live_blog", url) or has_ordered_times(text.split("\n")):
        return "live"
    for kind in ("roundup", "gallery"):
        if is_title_of(kind, title):
            return kind
    is_short = len(text) < MAX_FILM_LETTERS
    # A short text that only names the guest of a programme, whose page may have a news title, is a talk.
    if is_short and (is_title_of("video", title) or TEXTS["video"].search(text)):
        return "video"
    piece = classify_piece(title, url=url, text=text)
    is_picture = is_short and (is_address_of("gallery", url) or TEXTS["gallery"].search(text))
    return "gallery" if piece == NEWS and is_picture else piece


def classify_piece(
    title: str, *, url: str, text: str, section: str | None = None, types: Set[str] = frozenset()
) -> str:
    """
    Return "service", "opinion", "analysis" or "article".

    One clear mark is enough: a type of schema.org, an outlet all of whose pages are of this kind, the label beside the
    title, a folder of the URL, the section's name, or what only a comment says in its text.
    """
    if stated := next((SCHEMA_TYPES[each] for each in sorted(types) if each in SCHEMA_TYPES), None):
        return stated
    host, edges = host_of(url), (text[:EDGE_CHARS], text[-EDGE_CHARS:])
    for kind, pattern in HOSTS.items():
        if pattern.search(host):
            return kind
    for kind in (SERVICE, OPINION, ANALYSIS):
        if (
            is_title_of(kind, title)
            or is_address_of(kind, url)
            or (section and SECTIONS[kind].fullmatch(section.strip()))
            or (kind in TEXTS and any(TEXTS[kind].search(edge) for edge in edges))
        ):
            return kind
    return NEWS


def is_title_of(kind: str, title: str) -> bool:
    """Whether a title is one of a `kind`; a "video" may still have an article."""
    return TITLES[kind].search(title.strip()) is not None


def is_address_of(kind: str, url: str) -> bool:
    """Whether a URL's path looks like one of this kind; not certain, as some sites use such a URL for all pages."""
    return ADDRESSES[kind].search(urlsplit(url).path.lower()) is not None


def has_ordered_times(paragraphs: Iterable[str]) -> bool:
    """Whether paragraphs begin with times of day in one order, as the entries of a live blog do."""
    matches = (CLOCK.match(paragraph) for paragraph in paragraphs)
    times = [int(match[1]) * 60 + int(match[2]) for match in matches if match]
    steps = [after - before for before, after in pairwise(times)]
    falling = sum(step < 0 for step in steps)
    if len(times) >= MIN_FALLING_TIMES and falling == len(steps):
        return True
    rising = sum(step > 0 for step in steps)
    return len(times) >= MIN_ORDERED_TIMES and max(rising, falling) >= ORDERED * len(steps)
