"""Decides whose report a page is: that of the source with the page's site, not of the feed that had its link first."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from watcher.model import Article, Feed
from watcher.settings.outlets import find_outlet
from watcher.text.urls import host_of, is_channel_host, site_of
from watcher.text.words import normalize_key, stop_words

# Sites that link what others publish, and publish nothing: a source there is a search or a list of its reader's.
LINKING_HOSTS = frozenset({"news.google.com", "apple.news", "flipboard.com"})
MAX_CHANNEL_CHARS = 40  # of a channel's name at the end of a title
MIN_TITLE_CHARS = 15  # of the title before it
MIN_NAME_CHARS = 3  # of a site's name, to be recognized under another top-level domain
SAME_OUTLET, SAME_DOMAIN, SAME_SITE = range(3)  # how near the host of a feed is to that of a page


def decide_owner(host: str, *, listed_by: Iterable[Feed], sources: Iterable[Feed] = ()) -> Feed | None:
    """
    Return the source that a page of `host` belongs to; None if its outlet is no source.

    The URL of a source in the settings shows whose it is. What site a feed names as its own anybody can write, and
    anybody can redirect a feed, or register a known name under another top-level domain: such a claim counts only where
    no source's URL is on the page's site.
    Of two feeds with an equal right, the one that was a source first is the owner, in whatever order they are polled.

    Args:
        host: Of the page, after redirects.
        listed_by: Feeds that have the page's link.
        sources: Other feeds: the page may be theirs although they do not list it.
    """
    listers, others = (sorted(feeds, key=lambda feed: feed.id) for feeds in (listed_by, sources))
    if is_channel_host(host):  # only a feed that lists the page can be that of its channel
        return next((feed for feed in listers if _is_on_platform(feed, host)), next(iter(listers), None))
    for feeds in (listers, others):
        nearest = min(feeds, key=lambda feed: _distance(feed, host), default=None)
        if nearest is not None and _distance(nearest, host) <= SAME_DOMAIN:
            return nearest
    claimants = [feed for feed in listers if _claims(feed, host)]
    claimants += [feed for feed in others if _names_site(feed, host)]
    # One that the table of outlets tells apart from the page's outlet is another outlet of the domain.
    return next((feed for feed in claimants if _distance(feed, host) != SAME_SITE), None)


def owns_page(feed: Feed, host: str) -> bool:
    """Whether a page of `host` that `feed` lists is its own, unless another source has a better right to it."""
    if is_channel_host(host):
        return _is_on_platform(feed, host)
    return is_on_site(feed, host) or _claims(feed, host)


def is_on_site(feed: Feed, host: str) -> bool:
    """Whether the URL that the settings have for a feed is on the site of a page's host, and of the same outlet."""
    return _distance(feed, host) <= SAME_DOMAIN


def _distance(feed: Feed, host: str) -> int:
    """Return how near a feed's host is to a page's, more than `SAME_SITE` if it is on another site."""
    feed_host = host_of(feed.source.url)
    if is_channel_host(feed_host) or site_of(feed_host) != site_of(host):
        return SAME_SITE + 1
    mine, theirs = _outlet_domain(feed_host), _outlet_domain(host)
    if mine == theirs:
        return SAME_OUTLET
    return SAME_DOMAIN if mine.endswith(f".{theirs}") or theirs.endswith(f".{mine}") else SAME_SITE


def _outlet_domain(host: str) -> str:
    """Return the domain of a host's outlet: that of the table of outlets, else the registered one."""
    known = find_outlet(host)
    return known.host if known else site_of(host)


def _is_on_platform(feed: Feed, host: str) -> bool:
    return site_of(host) in map(site_of, _feed_hosts(feed))


def _feed_hosts(feed: Feed) -> tuple[str, str]:
    return host_of(feed.source.url), host_of(feed.url)


def _claims(feed: Feed, host: str) -> bool:
    """Whether a feed says that it is of a page's site, or has the same name: the BBC is at bbc.com and bbc.co.uk."""
    name = site_of(host).partition(".")[0]
    labels = {site.partition(".")[0] for site in (feed.site or "", *map(site_of, _feed_hosts(feed)))}
    has_same_name = name in labels and len(name) >= MIN_NAME_CHARS and not name.isdigit()
    return has_same_name or _names_site(feed, host)


def _names_site(feed: Feed, host: str) -> bool:
    """Whether a feed names the page's site as its own, or has moved there."""
    return site_of(host) in (feed.site, site_of(host_of(feed.url)))


def attribute_article(article: Article, owner: Feed | None, *, listed_by: Sequence[Feed]) -> Article:
    """
    Return an article as that of its owner, or as that of an outlet that is no source if `owner` is None.

    Such an outlet has the name of its site, and the country and owner that the table of outlets says. `via` is the
    first feed's source unless the owner's feed lists the article too. An article of a platform is its channel's
    (`name_channel`).
    """
    first = min(listed_by, key=lambda feed: feed.id).source
    if owner is None:
        known = find_outlet(article.host)
        country, proprietor = (known.country, known.owner or None) if known else (None, None)
        name = _outlet_domain(article.host)
        attributed = replace(
            article, outlet=name, country=country, owner=proprietor, section=first.section, via=first.name
        )
        return name_channel(attributed)
    source = owner.source
    is_listed = any(feed.id == owner.id for feed in listed_by)
    via = None if is_listed or first.name == source.name else first.name
    attributed = replace(
        article, outlet=source.name, country=source.country, owner=source.owner, section=source.section, via=via
    )
    return name_channel(attributed)


def name_channel(article: Article) -> Article:
    """
    Return an article under the name of its channel, by way of its source, if its outlet is only called as the platform.

    The channel is the only author, else the name at the end of the title, where a news search has it. Its country and
    owner are not known. A page that a news search lists is not that of its source; without a channel, it is the
    platform's. A text of the feed stays its source's.
    """
    host = host_of(article.url).removeprefix("www.")
    is_page = article.is_headline_only or not article.from_feed
    if is_page and host in LINKING_HOSTS and not is_unnamed_channel(article):
        article = replace(article, outlet=host, country=None, owner=None, via=article.via or article.outlet)
    if not is_unnamed_channel(article):
        return article
    title, _, channel = article.title.rpartition(" - ")
    if len(article.authors) == 1 and not article.authors[0].startswith("/"):  # "/u/name" is no channel
        channel = article.authors[0]
    elif len(title) < MIN_TITLE_CHARS or not _is_name(channel, article.language):
        return article
    if not MIN_NAME_CHARS <= len(channel) <= MAX_CHANNEL_CHARS or normalize_key(channel) in _platform_names(host):
        return article
    return replace(article, outlet=channel.strip(), country=None, owner=None, via=article.via or article.outlet)


def _is_name(text: str, language: str) -> bool:
    """Whether each word of a text has a capital or stands inside a name: "LiveNOW from FOX"."""
    parts = text.split()
    small = [word for word in parts if word[0].islower()]
    return not small or (parts[0] not in small and stop_words(language).issuperset(small))


def is_unnamed_channel(article: Article) -> bool:
    """Whether an article's outlet is only called as its platform, so that nobody knows who publishes it."""
    host = host_of(article.url).removeprefix("www.")
    return is_channel_host(host) and normalize_key(article.outlet) in _platform_names(host)


def _platform_names(host: str) -> frozenset[str]:
    """Return the names of a platform, as `normalize_key` spells them: YouTube, youtube.com; Google News."""
    labels, site = host.split("."), site_of(host)
    return frozenset(map(normalize_key, (host, site, site.partition(".")[0], labels[1] + labels[0])))
