"""ClusterItem: the data of an article that clustering reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from sys import intern

from watcher.model import ArticleHeader, Features
from watcher.text.page_kind import COLLECTIONS, OPINION, SERVICE

NEVER = datetime.max.replace(tzinfo=UTC)
SILENT_KINDS = COLLECTIONS | {OPINION, SERVICE}
JOINING_KINDS = frozenset({"live", OPINION})  # kinds of `SILENT_KINDS` that join the story that they are nearest to
MIN_NUMBER_DIGITS = 3  # shorter numbers occur in any text


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterItem:
    """An article as clustering sees it. `published_at` is None if the article has no date."""

    article_id: str
    title: str
    language: str
    published_at: datetime | None = None
    outlet: str = ""
    url: str = ""
    features: Features
    agency: str | None = None
    kind: str = "article"
    country: str | None = None

    @property
    def is_non_voting(self) -> bool:
        """Whether the article has no vote in grouping: it is no report of one event, and never joins two reports."""
        return self.kind in SILENT_KINDS

    def keys(self) -> list[str]:
        """Return the names, then the numbers of `MIN_NUMBER_DIGITS` characters or more with the prefix "#": "#1200"."""
        return [*self.features.names, *(f"#{each}" for each in self.features.numbers if len(each) >= MIN_NUMBER_DIGITS)]


def make_item(article: ArticleHeader, features: Features) -> ClusterItem:
    """Return an article and its features as an item to group."""
    return ClusterItem(
        article_id=article.id,
        title=article.title,
        language=intern(article.language),
        published_at=article.published_at,
        outlet=intern(article.outlet),
        url=article.url,
        features=features,
        agency=article.agency,
        kind=intern(article.kind),
        country=intern(article.country) if article.country else None,
    )


def sort_by_time(items: Iterable[ClusterItem]) -> list[ClusterItem]:
    """Return `items` by time, undated ones last, each id once; the result does not depend on the order of `items`."""
    seen: dict[str, ClusterItem] = {}
    for item in sorted(items, key=sort_key):
        seen.setdefault(item.article_id, item)
    return list(seen.values())


def time_apart(a: ClusterItem, b: ClusterItem) -> timedelta | None:
    """Return the time between two articles; None if one has no date."""
    return abs(a.published_at - b.published_at) if a.published_at and b.published_at else None


def sort_key(item: ClusterItem) -> tuple[bool, datetime, str, str]:
    return item.published_at is None, item.published_at or NEVER, item.article_id, item.url
