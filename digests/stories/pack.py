"""Collects a pack (all that is stored on one story): timeline, outlets' first words, quotations, copies, changes."""

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from digests.cluster.explain import describe_copy
from digests.model.pack import Pack, PackArticle, PackChange, PackQuote
from digests.render.pack import sha256_of
from digests.store.editions import last_places
from digests.stories.history import StoryDetails, load_story_details
from watcher.model import Article, ArticleHeader, Revision
from watcher.settings.models import Settings
from watcher.store.articles import load_page_records
from watcher.store.pages import revisions_of
from watcher.text.sentences import sentences

FIRST_SENTENCES, MIN_SENTENCE_CHARS = 2, 25  # quoted of an outlet's first report; shorter ones are headings
MAX_DIFF_LINES = 60  # of a change
Quotes = Mapping[str, tuple[PackQuote, ...]]  # by article


def load_pack(connection: Connection, settings: Settings, story: str, *, now: datetime) -> Pack:
    """Return the pack of a story. Errors: as `resolve_story`."""
    details = load_story_details(connection, story)
    quotes = _collect_quotes(connection, settings, details)
    pages = load_page_records(connection, details.articles)
    joined = b"".join(pages.values())
    return Pack(
        id=details.row.id,
        title=details.row.title,
        made_at=now.replace(microsecond=0),
        outlets=details.coverage.outlets,
        independent=details.coverage.independent,
        articles=tuple(_pack_articles(connection, details, quotes)),
        pages_of=tuple(pages),
        pages_sha256=sha256_of(joined) if pages else "",
        pages=joined,
    )


def _pack_articles(connection: Connection, details: StoryDetails, quotes: Quotes) -> Iterator[PackArticle]:
    """Yield the articles of a story for its pack; only those with quotes have their text."""
    revisions = revisions_of(connection, details.articles)
    for report in details.story.wire_groups:
        for key in report.articles:
            article, copy = details.articles[key], details.copies.get(key)
            copied = {name: getattr(article, name) for name in (*ArticleHeader.__slots__, "authors", "fetched_at")}
            yield PackArticle(
                **copied | {"agency": article.agency or report.agency},
                copy_of=None if key == report.origin else report.origin,
                differs=describe_copy(copy) if copy else "",
                text_sha256=sha256_of(article.text),
                text=article.text if quotes.get(key) else None,
                quotes=quotes.get(key, ()),
                changes=tuple(_describe_changes(article, revisions.get(key, ()))),
            )


def _describe_changes(article: Article, revisions: tuple[Revision, ...]) -> Iterator[PackChange]:
    """Yield the changes of an article's page, each as the lines that went ("-") and came ("+")."""
    before = (article.title, *article.text.split("\n"))
    for revision in revisions:
        after = before if revision.kind == "gone" else (revision.title, *revision.text.split("\n"))
        rows = islice(difflib.unified_diff(before, after, n=0, lineterm=""), 2, None)  # without the names of the files
        lines = [row for row in rows if not row.startswith("@@")]
        more = (f" {len(lines) - MAX_DIFF_LINES} more lines",) if len(lines) > MAX_DIFF_LINES else ()
        yield PackChange(at=revision.at, kind=revision.kind, diff=(*lines[:MAX_DIFF_LINES], *more))
        before = after


def _collect_quotes(connection: Connection, settings: Settings, details: StoryDetails) -> Quotes:
    """Return by article the first sentences of each outlet's first report, and those that the last editions cite."""
    quotes: defaultdict[str, dict[tuple[int, int], PackQuote]] = defaultdict(dict)
    latest_first = (details.articles[key] for key in reversed(details.story.articles))
    first_by_outlet = {article.outlet: article for article in latest_first if article.text}
    for article in first_by_outlet.values():
        long = ((s, e) for s, e in sentences(article.text, article.language) if e - s >= MIN_SENTENCE_CHARS)
        for start, end in islice(long, FIRST_SENTENCES):
            quotes[article.id][start, end] = PackQuote(start=start, end=end, is_first=True)
    for _, shown in last_places(connection, settings, details.row.id):
        for cited in shown.quoted:
            start, end = cited.offset, cited.offset + len(cited.text)
            article_now = details.articles.get(cited.article_id)
            # An outlet may have changed the text since the edition cited it.
            if article_now and article_now.text[start:end] == cited.text:
                quotes[article_now.id].setdefault((start, end), PackQuote(start=start, end=end, is_first=False))
    return {key: tuple(found.values()) for key, found in quotes.items()}
