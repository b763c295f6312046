"""What the reader keeps: a story or an article, with tags and a note."""

from dataclasses import dataclass
from datetime import datetime

from watcher.model import Article

STORY, ARTICLE = "story", "article"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A story or an article that is kept. `key`: the id of the article, or that of the story when it was kept."""

    kind: str
    key: str
    kept_at: datetime
    tags: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptItem(Mark):
    """A mark with what it is of: an article, or the story that has the articles of the kept one now."""

    id: str
    title: str  # in one line
    outlet: str  # "" of a story
    language: str
    at: datetime  # when the article, or the last one of the story, was published
    article: Article | None  # if it is one
