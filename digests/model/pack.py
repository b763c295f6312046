"""A pack (all that is stored on one story): reports, quotations and changes, and what is needed to check them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from watcher.model import ArticleHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class PackQuote:
    """A sentence of an article: `text[start:end]` of the stored text."""

    start: int
    end: int
    is_first: bool  # among the first sentences of the outlet's first report; else cited by an edition


@dataclass(frozen=True, slots=True, kw_only=True)
class PackChange:
    """A later version of an article's page. `diff`: changed lines, each after "-", "+" or a space; empty if gone."""

    at: datetime
    kind: str  # changed, gone
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackArticle(ArticleHeader):
    authors: tuple[str, ...]
    fetched_at: datetime
    copy_of: str | None  # the id of its report's origin
    differs: str  # how a copy differs from its origin, in words
    text_sha256: str  # of the stored text in UTF-8
    text: str | None  # as stored, of an article with a quotation
    quotes: tuple[PackQuote, ...]
    changes: tuple[PackChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    id: str
    title: str
    made_at: datetime
    outlets: tuple[str, ...]
    independent: tuple[str, ...]
    articles: tuple[PackArticle, ...]  # by time of publication; a copy after its origin
    pages_of: tuple[str, ...] = ()  # ids of the articles whose pages are in `pages`
    pages_sha256: str = ""
    version: Literal[1] = 1  # of the form of this data
    pages: bytes = b""  # as they were fetched: a WARC file, apart from the other data
