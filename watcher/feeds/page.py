"""Reads a page as a feed: its items by CSS selectors; proposes selectors for the list of articles on a page."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from urllib.parse import urlsplit

from lxml.etree import Element, HTMLParser, LxmlError, XPath, _Element, fromstring, tostring

from watcher.errors import FeedError
from watcher.failure_messages import FeedKind, Reason
from watcher.feeds.html_text import html_to_text
from watcher.feeds.normalize import RawEntry, RawFeed, RawText, absolute_url
from watcher.model import PageSelectors
from watcher.text.css import UNSTABLE, selectors_of, xpath_of
from watcher.text.dates import date_in_url, find_dates
from watcher.text.encoding import decode_page
from watcher.text.plain_text import strip_control_chars, to_one_line
from watcher.text.urls import host_of, normalize_url

PAGE = "HTML page"  # the format
MAX_PAGE_CHARS = 4_000_000
MAX_MATCHES, MAX_ITEMS = 2_000, 200  # items that are looked at, and that are read
MAX_LINKS = 5_000  # of a page
MAX_ITEM_PARTS = 20  # links, titles and dates of an item that are looked at
TARGET = "watcher-target"  # the attribute of links to other pages for their absolute URL
ITEM_LINKS = XPath(f"(ancestor::a | descendant-or-self::a)[@{TARGET}]")
HEADINGS = XPath("descendant-or-self::*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6]")

Items = Mapping[_Element, Mapping[str, float]]  # elements with the articles in them, and their weights


def parse_page(html: str, url: str, selectors: PageSelectors) -> RawFeed:
    """Return the items of a page as a feed. Errors: FeedError if the selector finds none, or none with a link."""
    root = _parse_tree(html, url)
    paths = {name: XPath(xpath_of(css)) for name in PageSelectors.__slots__ if (css := getattr(selectors, name))}
    items, rows = paths["items"](root), dict[str, RawEntry]()
    for item in items[:MAX_MATCHES]:
        if entry := read_item(item, paths):
            rows.setdefault(entry.guid, entry)
    if not rows:
        raise FeedError(url, Reason(FeedKind.NO_LINKS if items else FeedKind.NO_ITEMS, selector=selectors.items))
    title, entries = RawText(value=root.findtext(".//title") or ""), tuple(rows.values())[:MAX_ITEMS]
    faults = (f"{len(items):,} items, of which {MAX_ITEMS} were read",) if len(rows) > MAX_ITEMS else ()
    language = root.get("lang", "")
    return RawFeed(format=PAGE, title=title, link=url, language=language, entries=entries, faults=faults)


def _parse_tree(html: str, url: str) -> _Element:
    """Return the tree of a page, in which links to other pages have the attribute `TARGET`."""
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    root = None
    with suppress(LxmlError):
        root = fromstring(strip_control_chars(html[:MAX_PAGE_CHARS]).encode("utf-8", "replace"), parser)
    root = Element("html") if root is None else root  # of an empty page
    base = next((base for tag in root.iter("base") if (base := absolute_url(url, tag.get("href", "")))), url)
    for link in islice(root.iter("a"), MAX_LINKS):
        target = absolute_url(base, link.get("href", ""))
        if target and normalize_url(target) not in (normalize_url(url), normalize_url(base)):
            link.set(TARGET, target)
    return root


def read_item(item: _Element, paths: Mapping[str, XPath]) -> RawEntry | None:
    """Return an item of a page, which its link identifies; None if it has no link to another page."""
    places, titles, dates = (
        paths[key](item)[:MAX_ITEM_PARTS] if key in paths else [] for key in ("link", "title", "date")
    )
    link = next((link for place in (places if "link" in paths else [item]) for link in ITEM_LINKS(place)), None)
    if link is None:
        return None
    target = link.get(TARGET)
    title = next(filter(None, map(text_of, (*titles, *HEADINGS(link)))), "") or _default_title(item, link)
    moments = (
        *map(date_of, dates if "date" in paths else islice(item.iter("time"), MAX_ITEM_PARTS)),
        date_in_url(target),
    )
    published = tuple(moment.isoformat() for moment in moments if moment)
    return RawEntry(guid=normalize_url(target), links=(target,), title=RawText(value=title), published=published)


def _default_title(item: _Element, link: _Element) -> str:
    """Return the text of a link, that of another link to its page, or a heading; the first that is long enough."""
    same = [other for other in ITEM_LINKS(item)[:MAX_ITEM_PARTS] if other.get(TARGET) == link.get(TARGET)]
    texts = [text_of(part) for part in (link, *same, *HEADINGS(item))[:MAX_ITEM_PARTS]]
    texts += [link.get("title", ""), link.get("aria-label", "")]
    return next(filter(_title_weight, texts), next(filter(None, texts), ""))


def text_of(element: _Element) -> str:
    markup = tostring(element, encoding="unicode", method="html", with_tail=False)
    return to_one_line(html_to_text(markup.replace("</span><span", "</span> <span")))


def _title_weight(text: str) -> int:
    """Return the number of letters in a text that may be a title, at most 150; 0 for a shorter or longer text."""
    weight = sum(3 if char > "\u2e80" else 1 for char in text)  # a Chinese character says as much as three letters
    return min(weight, 150) if MIN_TITLE_LETTERS <= weight < 300 else 0


def date_of(element: _Element) -> datetime | None:
    """Return the date in the attribute `datetime` of an element, else the first one in its text."""
    month_first = element.getroottree().getroot().get("lang", "").lower() == "en-us"
    texts = (element.get("datetime", ""), text_of(element))
    return next((date.moment for text in texts for date in find_dates(text, month_first=month_first, short=True)), None)


MIN_ITEMS, MOST = 3, 0.8
MIN_TITLE_LETTERS = 20  # of a link that may be the title of an article
MAX_CLIMB, MAX_COMPARED = 8, 25  # elements above a link that may be its item; selectors that are compared closely
MAX_SAMPLE, MAX_INSIDE, MAX_DATE_CHARS = 20, 150, 60  # items that are looked at closely; elements of each; of a date
MAX_BESIDE = 3  # elements above a link such as "Read more" that may have the heading of its article
MAX_ABOVE, MAX_NAMES = 40, 200  # elements above a link, and characters of their names, that say in which part it is
MAX_LINKS_TO_ARTICLE = 4  # that a page links an article: its picture, its title, "read more" and once in another list
MIN_ARTICLE_WEIGHT = 15.0  # of an article, on average; the links of a menu have less
ARTICLE_PATH = re.compile(r"\d|[-_][^/]*[-_]")  # a date, a number, or a title of several words
HEADING_TAGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# Parts of a page whose links are rarely the list of articles, by their tags, classes and ids.
BESIDE = re.compile(r"(?:^|\s|(?<!main)[_-])(?:nav|menu|foot|aside|side|bread|social|share|relat|popul|trend)", re.I)


def propose_selectors(body: bytes, url: str, content_type: str | None) -> PageSelectors | None:
    """
    Return selectors for the list of articles on a page, None if it has no such list.

    Items are elements with a selector in common, each with a link to one article. The best selector names the most
    articles with the longest titles, and little else; stable names and larger elements count, too.
    """
    root = _parse_tree(decode_page(body, content_type), url)
    groups = _group_articles(root, url)
    best = sorted(groups, key=lambda selector: _weigh_articles(groups[selector]), reverse=True)[:MAX_COMPARED]
    rank, chosen = max(((_rank_items(root, name, groups[name]), name) for name in best), default=((0,), ""))
    alone = {item: next(iter(links)) for item, links in groups[chosen].items() if len(links) == 1}
    return (
        _complete_selectors(PageSelectors(items=chosen), dict(islice(alone.items(), MAX_SAMPLE))) if rank[0] else None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedList:
    """The longest list of links on a page that `propose_selectors` refuses."""

    items: str  # its CSS selector, "" if the page has no links to other pages
    count: int = 0  # of its links that may be those of articles
    reason: str = ""


def describe_refused_list(body: bytes, url: str, content_type: str | None) -> RefusedList:
    """Return the longest list on a page for which `propose_selectors` returns None, and why it is refused."""
    root = _parse_tree(decode_page(body, content_type), url)
    groups = _group_articles(root, url)
    if not groups:
        above = (part for link in root.iter("a") if link.get(TARGET) for part in (link.getparent(), link))
        names = Counter(name for part in above for name in islice(selectors_of(part), 1) if part.tag != "body")
        selector = max(names, key=lambda name: (names[name], "." in name), default="")
        reason = f"no link has a title of {MIN_TITLE_LETTERS} letters or more"
        return RefusedList(items=selector, reason=reason if selector else "it has no link to another page")
    count, _, selector = max((len(_single_links(items)), _is_named(name), name) for name, items in groups.items())
    items = groups[selector]
    if count < MIN_ITEMS:
        reason = f"{MIN_ITEMS} are needed"
    elif sum(len(links) == 1 for links in items.values()) < MOST * len(items):
        reason = "too many of its items have links to several articles"
    elif not _weigh_articles(items):
        reason = "its links look like those of a menu, by their titles, addresses or place on the page"
    else:
        reason = "its selector matches too much else on the page"
    return RefusedList(items=selector, count=count, reason=reason)


def _single_links(items: Items) -> Mapping[str, float]:
    """Return the links that are alone in their item, with their weights."""
    return dict(next(iter(links.items())) for links in items.values() if len(links) == 1)


def _is_named(selector: str) -> bool:
    return selector == "article" or "." in selector or "#" in selector


def _group_articles(root: _Element, url: str) -> Mapping[str, Items]:
    """Return the elements of a page that may be items of a list, by each selector that they have in common."""
    site = host_of(url).removeprefix("www.")
    groups: dict[str, dict[_Element, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    links = [(link, normalize_url(link.get(TARGET))) for link in root.xpath(f"//a[@{TARGET}]")]
    times, names = Counter(target for _, target in links), dict[_Element, list[str]]()
    for link, target in links:
        # A page that is linked often, such as that of a section, is no article.
        is_rare = times[target] <= MAX_LINKS_TO_ARTICLE
        heading = next(iter(HEADINGS(link)), None)
        weight = _title_weight(text_of(link if heading is None else heading)) if is_rare else 0
        if is_rare and not weight and (heading := _heading_beside(link)) is not None:
            weight = _title_weight(text_of(heading))
        above = [part for part in islice(link.iterancestors(), MAX_ABOVE) if part.tag not in ("html", "body")]
        place = " ".join(f"{part.tag} {part.get('class', '')} {part.get('id', '')}"[:MAX_NAMES] for part in above)
        # A title in a heading is that of an article whatever its address is: "/bridge" is enough.
        is_heading = heading is not None or any(part.tag in HEADING_TAGS for part in above)
        is_likely = is_heading or ARTICLE_PATH.search(urlsplit(target).path)
        likely = 0.3 if not host_of(target).endswith(site) else 1.0 if is_likely else 0.4
        value = weight * (0.2 if BESIDE.search(place) else 1.0) * likely
        for element in (link, *above[:MAX_CLIMB]) if value else ():
            for selector in names.get(element) or names.setdefault(element, list(selectors_of(element))):
                groups[selector][element][target] = value
    return groups


def _heading_beside(link: _Element) -> _Element | None:
    """Return the heading beside a link, in an element whose links all lead to one page; None without one."""
    for above in islice(link.iterancestors(), MAX_BESIDE):
        inside = list(islice(above.iter(), MAX_INSIDE))
        if any(part.get(TARGET, link.get(TARGET)) != link.get(TARGET) for part in inside):
            return None
        if (heading := next((part for part in inside if part.tag in HEADING_TAGS), None)) is not None:
            return heading
    return None


def _weigh_articles(items: Items) -> float:
    """
    Return the weight of `items` as a list of articles; 0 if they are none.

    It is the sum of the weights of the links that are alone in their item, each link once.
    """
    alone = sum(len(links) == 1 for links in items.values())
    links = _single_links(items)
    total, count = sum(links.values()), len(links)
    return total if count >= MIN_ITEMS and alone >= MOST * len(items) and total >= MIN_ARTICLE_WEIGHT * count else 0.0


def _rank_items(root: _Element, selector: str, items: Items) -> tuple[float, ...]:
    """Return a tuple that is greater for the better selector; it begins with 0 if the selector is of no use."""
    share = len(items) / (len(XPath(xpath_of(selector))(root)) or 1)
    value = round(_weigh_articles(items) * share**2 * (1.0 if _is_named(selector) else 0.5 if share >= MOST else 0.0))
    return value, UNSTABLE.search(selector) is None, -len(list(next(iter(items)).iterancestors())), -len(selector)


def _complete_selectors(selectors: PageSelectors, items: Mapping[_Element, str]) -> PageSelectors:
    """Return selectors with those for link and date that the items need; `items` have the links of their articles."""

    def is_link(part: _Element, item: _Element) -> bool:
        links = ITEM_LINKS(part)[:1] if part.tag == "a" or part in HEADINGS(part) else ()
        return any(normalize_url(link.get(TARGET)) == items[item] for link in links)

    rows = [(read_item(item, {}), target) for item, target in items.items()]
    if sum(row is not None and row.guid == target for row, target in rows) < MOST * len(items):
        selectors = replace(selectors, link=_common_selector(items, is_link))
    if sum(any(map(date_of, item.iter("time"))) for item in items) < MOST * len(items):
        selectors = replace(selectors, date=_common_selector(items, is_date))
    return selectors


def is_date(part: _Element, item: _Element) -> bool:
    """Whether an element has little else than a date."""
    text = part.get("datetime") or " ".join("".join(islice(part.itertext(), 12)).split())
    return len(text) <= MAX_DATE_CHARS and any(map(str.isdecimal, text)) and part.tag != "a" and bool(date_of(part))


def _common_selector(items: Mapping[_Element, str], is_wanted: Callable[[_Element, _Element], bool]) -> str:
    """Return a selector whose first match in most items is wanted, "" without one."""
    counts = Counter[str]()
    for item in items:
        known = set[str]()
        for part in islice(item.iterdescendants(), MAX_INSIDE):
            names = [name for name in selectors_of(part) if name not in known]
            known.update(names)
            counts.update(names if names and is_wanted(part, item) else ())
    best = max(counts, key=lambda name: (counts[name], UNSTABLE.search(name) is None), default="")
    return best if counts[best] >= MOST * len(items) else ""
