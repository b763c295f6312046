"""Finds the feeds that a page links, the usual URLs of feeds, and those of channels on YouTube and Reddit."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit, urlunsplit

from watcher.text.plain_text import to_one_line
from watcher.text.urls import is_web

DISCOVERY_CHARS = 1_000_000
MAX_LINKED_FEEDS = 50
DEEPEST = 3  # maximal slashes in the path of a folder that may have its own feed: "/en/blog/"
FEED_TYPE = re.compile(r"(?:application|text)/(?:x-)?(?:(?:rss|atom|rdf)(?:\+xml)?|feed\+json)")
VAGUE_TYPES = frozenset(("application/xml", "text/xml", "application/json"))
USUAL = ("feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed/", "feed.json")
OF_COMMENTS = re.compile(r"(?:^|[/?&_-])comments?(?:[/=&_-]|$)", re.IGNORECASE)
FEED_PATH = re.compile(
    r"(?:^|[/._-])(?:rss|atom|feeds?|rdf|index\.xml)(?:\d{0,2}(?:\.(?:xml|rdf|json|php|aspx?))?)?/?(?:\?|$)"
    r"|\.(?:rss|atom|rdf)(?:\?|$)|/(?:rss|feeds?)/[^?]{1,300}\.xml(?:\?|$)",
    re.IGNORECASE,
)

YOUTUBE = frozenset(("youtube.com", "www.youtube.com", "m.youtube.com"))
YOUTUBE_PATH = re.compile(r"/(channel|user)/([\w-]{1,100})(?:/|$)", re.ASCII)
YOUTUBE_LIST = re.compile(r"[\w-]{1,100}", re.ASCII)
REDDIT = frozenset(("reddit.com", "www.reddit.com", "old.reddit.com", "new.reddit.com", "np.reddit.com"))
REDDIT_PATH = re.compile(r"/(r|u|user)/([\w+-]{1,100})(/(?:new|hot|top|rising))?/?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed that a page links: `declared` by a `<link>` element, else an `<a>` whose URL looks like a feed's."""

    url: str
    title: str = ""
    declared: bool = True


def find_feed_links(html: str, url: str) -> tuple[FoundFeed, ...]:
    """Return up to `MAX_LINKED_FEEDS` feeds of a page, in page order, declared ones first, those of comments last."""
    from lxml import etree  # late: takes 5 MB, and is needed only if a URL leads to a page instead of a feed

    base = url
    feeds: dict[str, FoundFeed] = {}
    parser = etree.HTMLParser(encoding="utf-8", no_network=True)
    tree = etree.fromstring(b"<html>" + html[:DISCOVERY_CHARS].encode("utf-8", "replace"), parser)
    for tag in tree.iter("link", "a", "base"):
        name, attributes = tag.tag, {str(key): str(value) for key, value in tag.items()}
        href = attributes.get("href", "").strip()
        if not href:
            continue
        target = _absolute_link(base, href)
        link = FoundFeed(url=target or "", title=to_one_line(attributes.get("title", ""), 200), declared=name == "link")
        if name == "base":
            base = target or base
        elif name == "link" and target and _is_declared(attributes):
            if target not in feeds or not feeds[target].declared:
                feeds[target] = link
        elif name == "a" and target and FEED_PATH.search(target.partition("://")[2].partition("#")[0]):
            feeds.setdefault(target, link)
    ranked = sorted(feeds.values(), key=lambda feed: (is_comment_feed(feed.url), not feed.declared))
    return tuple(ranked[:MAX_LINKED_FEEDS])


def is_comment_feed(url: str) -> bool:
    return OF_COMMENTS.search(urlsplit(url).path) is not None


def common_feed_urls(url: str) -> tuple[str, ...]:
    """
    Return the usual URLs of feeds that sites do not link: the most usual name in the folder of `url`, unless that is
    deep in the site, then all usual names at the root.
    """
    parts = urlsplit(url)
    folder = parts.path[: parts.path.rfind("/") + 1] or "/"
    roots = dict.fromkeys((folder, "/")) if folder.count("/") <= DEEPEST else ("/",)
    names = [(root, name) for root in roots for name in (USUAL if root == "/" else USUAL[:1])]
    return tuple(urlunsplit((parts.scheme, parts.netloc, root + name, "", "")) for root, name in names)


def platform_feed(url: str) -> str | None:
    """
    Return the feed of a channel, user or playlist on YouTube, or of a subreddit or user on Reddit; else None.

    A YouTube handle (`/@name`) does not say the id of its channel; its page declares the feed.
    """
    parts = urlsplit(url)
    host, path = (parts.hostname or "").rstrip("."), parts.path
    if host in YOUTUBE:
        feed = "https://www.youtube.com/feeds/videos.xml"
        if path == "/playlist":
            playlist = parse_qs(parts.query[:2_000]).get("list", [""])[0]
            return f"{feed}?playlist_id={playlist}" if YOUTUBE_LIST.fullmatch(playlist) else None
        if place := YOUTUBE_PATH.match(path):
            return f"{feed}?{'channel_id' if place[1] == 'channel' else 'user'}={place[2]}"
    elif host in REDDIT and (place := REDDIT_PATH.fullmatch(path)):
        return f"https://www.reddit.com/{'r' if place[1] == 'r' else 'user'}/{place[2]}{place[3] or ''}/.rss"
    return None


def _is_declared(attributes: dict[str, str]) -> bool:
    rel = attributes.get("rel", "").lower().split()
    kind = attributes.get("type", "").lower().partition(";")[0].strip()
    is_feed = FEED_TYPE.fullmatch(kind) or (kind in VAGUE_TYPES and FEED_PATH.search(attributes.get("href", "")))
    return "feed" in rel or ("alternate" in rel and bool(is_feed))


def _absolute_link(base: str, href: str) -> str | None:
    """Return `href` as an absolute http(s) URL, None if it is no such URL."""
    href = href.removeprefix("feed:") if href.lower().startswith("feed:") else href
    try:
        target = urljoin(base, href)
    except ValueError:
        return None
    return target if is_web(target) else None
