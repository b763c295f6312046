"""What each tool of the MCP server answers, from the store; each text that an outlet wrote is a quote."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import filterfalse, islice

from sqlalchemy import Connection

from digests.errors import DigestError
from digests.mcp.quotes import NAME_CHARS, TEXT_CHARS, Answer, make_quote, quote_sentences
from digests.model.coming_event import ComingEvent
from digests.model.edition import Edition
from digests.model.edition_story import EditionStory, FigureChange, FigureReport, GlanceLine, NumberChange
from digests.model.kept_item import KeptItem
from digests.render.escape import sanitize_line
from digests.store.editions import edition_rows, find_row, load_edition, recent_editions
from digests.store.stories import stories_of_articles
from digests.stories.agenda import events_of_story
from digests.stories.earlier import find_earlier
from digests.stories.history import StoryDetails, find_article, load_story_details
from digests.stories.marks import load_kept
from digests.stories.meaning import MeaningSearch, search_by_meaning
from watcher.cli.output import select_fields
from watcher.model import Article, Revision
from watcher.settings.models import Settings
from watcher.store.articles import articles_by_id
from watcher.store.full_text import Filters
from watcher.store.pages import revisions_of
from watcher.store.search import Hit, count_missing, search
from watcher.text.page_kind import NO_REPORTS
from watcher.text.search_query import parse_query
from watcher.text.sentences import sentences

FIGURE_CHARS = 30  # of a figure
MAX_EDITIONS, MAX_STORIES = 20, 40  # of a list, and of an edition; as many in one line
MAX_REPORTS, MAX_OUTLETS = 30, 100  # of a story; of the reports the newest
MAX_HITS, MAX_OFFSET = 30, 1_000
MAX_CHANGES_LISTED = 30  # of each kind, the latest
MAX_PASSAGES = 20  # of an article in one answer
MAX_AUTHORS = 10
MAX_SENTENCES_QUOTED = 5  # that a change added, or removed
RECENT_EDITIONS = 3  # of each digest, in which the new figures of a story are looked up
COMPARED_VERSION_CHARS = 20_000  # of the two versions of a text that are compared


def list_editions(connection: Connection, digest: str | None, limit: int) -> Answer:
    """Return the latest editions, of one digest or of all, with their first headlines. Errors: DigestError."""
    rows = edition_rows(connection, digest, limit=min(max(limit, 1), MAX_EDITIONS))
    if digest and not rows:
        raise DigestError(f"no edition of {digest[:NAME_CHARS]!r} is stored")
    return {"editions": [_describe_edition(load_edition(connection, row), row.suffix) for row in rows]}


def show_edition(connection: Connection, digest: str, day: str) -> Answer:
    """Return an edition with its stories. `day`: its date, or "latest". Errors: DigestError."""
    try:
        at, suffix = (None, "") if day == "latest" else (date.fromisoformat(day[:10]), day[10:])
    except ValueError as error:
        raise DigestError(f'got the date {day[:20]!r}, expected one such as "2026-11-24", or "latest"') from error
    row = find_row(connection, digest, at, suffix=suffix)
    if row is None:
        hint = "call editions without a date to list the stored editions"
        raise DigestError(f"no edition of {digest[:NAME_CHARS]!r} for {day[:20]} is stored", hint=hint)
    edition = load_edition(connection, row)
    briefs = edition.all_briefs[:MAX_STORIES]
    articles = articles_by_id(connection, {key for brief in briefs for key in brief.article_ids})
    by_url = {article.url: article for article in articles.values()}
    return _describe_edition(edition, row.suffix) | {
        "at_a_glance": [_describe_line(line) for line in edition.at_a_glance],
        "coming_up": [_describe_event(event) for event in edition.coming_up],
        "stories": [_describe_story(story) for story in edition.stories[:MAX_STORIES]],
        "briefs": [
            {
                "story": brief.id,
                **select_fields(brief, "outlets", "is_least", "independent", "headline_only"),
                "headline": make_quote(brief.title, by_url[brief.url]),
            }
            for brief in briefs
            if brief.url in by_url
        ],
    }


def show_story(connection: Connection, story: str, settings: Settings) -> Answer:
    """Return a story with its thread, earlier cases, events to come and newest reports. Errors: as `resolve_story`."""
    details, head = _load_story(connection, story)
    origins = [(details.articles[report.origin], len(report.articles) - 1) for report in details.story.wire_groups]
    return head | {
        "thread": [
            {"story": row.id, "articles": row.size, "first_report_at": row.first_at, "last_report_at": row.last_at}
            for row in details.thread[-MAX_REPORTS:]
        ],
        "coming_up": [_describe_event(event) for event in events_of_story(connection, settings, details.row)],
        "earlier": [
            {
                "story": each.row.id,
                "first_report_at": each.row.first_at,
                "last_report_at": each.row.last_at,
                "last_report": make_quote(each.outcome.title, each.outcome),
            }
            for each in find_earlier(connection, details.row)
        ],
        "reports": [
            {
                "article": article.id,
                "copies": copies,
                "title": make_quote(article.title, article),
                "beginning": make_quote(article.text[: 2 * TEXT_CHARS], article) if article.text else None,
            }
            for article, copies in origins[-MAX_REPORTS:]
        ],
    }


def show_article(connection: Connection, wanted: str, offset: int) -> Answer:
    """Return an article with its text from the character `offset` on, in passages. Errors: as `find_article`."""
    article = find_article(connection, wanted[:2_048])
    passages = [*islice(_split_passages(article, max(offset, 0)), MAX_PASSAGES + 1)]
    story = stories_of_articles(connection, [article.id]).get(article.id)
    return {
        "article": article.id,
        "story": story[0] if story else None,
        **select_fields(article, "kind", "country", "published_at", "fetched_at"),
        "headline_only": article.is_headline_only,
        "authors": [sanitize_line(author, limit=NAME_CHARS) for author in article.authors[:MAX_AUTHORS]],
        "title": make_quote(article.title, article),
        "passages": [make_quote(article.text[start:end], article) for start, end in passages[:MAX_PASSAGES]],
        "next_offset": passages[MAX_PASSAGES][0] if len(passages) > MAX_PASSAGES else None,
    }


def _split_passages(article: Article, offset: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of passages of whole sentences, each at most `TEXT_CHARS` long."""
    text, begin = article.text, offset
    spans = [(max(start, offset), end) for start, end in sentences(text, article.language) if end > offset]
    for number, (start, end) in enumerate(spans):
        if number == 0:
            begin = start
        while end - begin > TEXT_CHARS:  # one sentence that is too long
            cut = text.rfind(" ", begin + 1, begin + TEXT_CHARS)
            yield begin, (cut if cut > 0 else begin + TEXT_CHARS)
            begin = cut + 1 if cut > 0 else begin + TEXT_CHARS
        following = spans[number + 1] if number + 1 < len(spans) else None
        if following is None or following[1] - begin > TEXT_CHARS:
            yield begin, end
            begin = following[0] if following else end


def show_reporters(connection: Connection, story: str) -> Answer:
    """Return the outlets of a story, and which of them print a copy. Errors: as `resolve_story`."""
    details, head = _load_story(connection, story)
    rows: dict[str, Answer] = {}
    reports = [(report, details.articles[key]) for report in details.story.wire_groups for key in report.articles]
    for report, article in sorted(reports, key=lambda each: each[1].kind in NO_REPORTS):
        row = {
            "counts_as_outlet": article.outlet in details.coverage.outlets,
            "counts_as_independent": article.outlet in details.coverage.independent,
            "headline_only": article.outlet in details.coverage.headline_only,
            "kind": article.kind,
            "country": article.country,
            "owner": sanitize_line(article.owner or "", limit=NAME_CHARS) or None,
            "agency": sanitize_line(report.agency or "", limit=NAME_CHARS) or None,
            "by_way_of": sanitize_line(article.via or "", limit=NAME_CHARS) or None,
            "copy_of_article": None if article.id == report.origin else report.origin,
            "article": article.id,
            "title": make_quote(article.title, article),
        }
        rows.setdefault(article.outlet, row)
    listed = sorted(rows.values(), key=lambda row: (not row["counts_as_independent"], not row["counts_as_outlet"]))
    return head | {"agencies": dict(details.coverage.agencies), "reports": listed[:MAX_OUTLETS]}


def show_changes(connection: Connection, story: str, digests: Sequence[str]) -> Answer:
    """Return new figures and sentences, changes by outlets, and joins and splits. Errors: as `resolve_story`."""
    details, head = _load_story(connection, story)
    ids = {details.row.id, details.asked.id, *details.row.merged_ids}
    editions = [
        edition
        for name in digests
        for edition in recent_editions(connection, name, before=date.max, limit=RECENT_EDITIONS)
    ]
    revisions = [revision for changes in revisions_of(connection, details.articles).values() for revision in changes]
    latest = sorted(revisions, key=lambda revision: revision.at)[-MAX_CHANGES_LISTED:]
    changed = articles_by_id(connection, {revision.article_id for revision in latest})
    return head | {
        "in_editions": [
            {"digest": edition.digest, "date": f"{edition.local_date}{edition.suffix}", **_describe_news(shown)}
            for edition in editions
            for shown in edition.stories
            if shown.id in ids
        ],
        "changes_by_outlets": [_describe_revision(changed[revision.article_id], revision) for revision in latest],
        "joins_and_splits": [
            {
                "at": change.at,
                "kind": change.kind,
                "story": change.story,
                "other": change.other,
                "articles": len(change.articles),
            }
            for change in details.changes[-MAX_CHANGES_LISTED:]
        ],
    }


def search_articles(
    connection: Connection,
    words: str,
    filters: Filters,
    limit: int,
    offset: int,
    meaning: MeaningSearch | None,
    translate: Callable[[Iterable[Hit]], dict[str, str]],
) -> Answer:
    """
    Return the articles that match `words`, newest first, with the passage that was found. Errors: DigestError.

    With `meaning`, `near` has those that are nearest to the query, without these, with their headlines translated.
    """
    query = parse_query(words)
    if not query.groups:
        raise DigestError("the query has no word to search for")
    limit, offset = min(max(limit, 1), MAX_HITS), min(max(offset, 0), MAX_OFFSET)
    result = search(connection, query, filters=filters, limit=limit, offset=offset)
    near: list[Hit] = []
    if meaning:
        known = {hit.id for hit in result.hits}
        near = search_by_meaning(connection, meaning, words, filters=filters, limit=limit, known=known)
    stories = stories_of_articles(connection, [hit.id for hit in (*result.hits, *near)])
    translated = translate(near)

    def describe(hit: Hit) -> Answer:
        """Return one match of a search for the agent."""
        return {
            "article": hit.id,
            "story": stories[hit.id][0] if hit.id in stories else None,
            "title": make_quote(hit.title, hit),
            "passage": make_quote(hit.snippet.text, hit),
        }

    by_meaning = {
        "near": [
            describe(hit) | {"translated_title": make_quote(translated[hit.id], hit) if hit.id in translated else None}
            for hit in near
        ]
    }
    return (by_meaning if meaning else {}) | {
        "hits": [describe(hit) for hit in result.hits],
        "has_more": result.has_more,
        "stopped_at": result.stopped_at,
        "articles_not_indexed": count_missing(connection),
    }


def _describe_edition(edition: Edition, suffix: str) -> Answer:
    """Return an edition as a row of the list of editions; `suffix` tells editions of one day apart."""
    return {
        "digest": edition.digest,
        "date": f"{edition.local_date}{suffix}",
        "title": sanitize_line(edition.title, limit=NAME_CHARS),
        "number": edition.number,
        "made_at": edition.made_at,
        "window": (edition.window_start, edition.window_end),
        **edition.ledger.counts,
        "headline": next((_quote_headline(story) for story in edition.stories), None),
    }


def _quote_headline(story: EditionStory) -> Answer | None:
    source = next((mention for mention in story.mentions if mention.url == story.url), None)
    return make_quote(story.title, source) if source else None


def _describe_line(line: GlanceLine) -> Answer:
    """Return a first line of an edition, and the figure that changed; those that differ are quoted."""
    answer: Answer = {"story": line.story, "kind": line.kind, "article": line.article_id} | make_quote(line.text, line)
    if change := line.figure_change:
        answer["figure"] = _describe_change(change)
    elif number := line.number_change:
        answer["figure"] = _describe_number(number)
    elif line.difference:
        details = line.difference.details
        answer["figures"] = [quote for detail in details for quote in quote_sentences(detail.sentences[:1])]
    return answer


def _describe_event(event: ComingEvent) -> Answer:
    """Return an event to come, with the sentence that announces it and the one that says that it is moved or off."""
    answer: Answer = select_fields(event, "kind", "on", "until", "begins_at", "moved_from", "story", "is_shown")
    changed = quote_sentences([event.change]) if event.change else []
    return answer | {"announced": quote_sentences([event.sentence])[0], "changed": changed}


def _describe_story(story: EditionStory) -> Answer:
    """Return a story of an edition for the agent; everything that outlets wrote is a quote with its source."""
    return {
        "story": story.id,
        **select_fields(
            story,
            *("topic", "status", "day", "outlets", "is_least", "independent", "headline_only"),
            *("languages", "countries"),
        ),
        "headline": _quote_headline(story),
        "summary": quote_sentences(story.summary),
        "headlines": [make_quote(headline.title, headline) for headline in story.headlines],
        "notices": [{"kind": notice.kind} | make_quote(notice.text, notice) for notice in story.notices],
        "comments": [make_quote(comment.title, comment) for comment in story.comments],
        "new": quote_sentences(story.updates),
    }


def _load_story(connection: Connection, story: str) -> tuple[StoryDetails, Answer]:
    """Return a story, and what each answer on it has: id, headline and counts. Errors: as `resolve_story`."""
    details = load_story_details(connection, story[:200], compare=lambda _reports: ())
    title, articles = details.row.title, details.articles.values()
    source = next((article for article in articles if title and title in article.title), None)
    return details, {
        "story": details.row.id,
        "headline": make_quote(title, source) if source else None,
        "articles": len(details.articles),
        "outlets": len(details.coverage.outlets),
        "independent": len(details.coverage.independent),
        "headline_only": len(details.coverage.headline_only),
        **select_fields(details.coverage, "languages", "countries"),
    }


def _describe_news(story: EditionStory) -> Answer:
    """Return what is new in a story since the edition before."""
    return {
        "status": story.status,
        "figures": [_describe_number(change) for change in story.number_changes[:MAX_CHANGES_LISTED]],
        "figures_of_the_period": [_describe_change(change) for change in story.figure_changes[:MAX_CHANGES_LISTED]],
        "sentences": quote_sentences(story.updates),
    }


def _describe_number(change: NumberChange) -> Answer:
    return {
        "before": sanitize_line(change.before, limit=FIGURE_CHARS),
        "after": sanitize_line(change.after, limit=FIGURE_CHARS),
        "sentences": quote_sentences((change.sentence_before, change.sentence_after)),
    }


def _describe_change(change: FigureChange) -> Answer:
    return {
        "quantity": change.quantity,
        **{name: _describe_figure(getattr(change, name)) for name in ("before", "after")},
        "outlets": change.outlets,
    }


def _describe_figure(report: FigureReport) -> Answer:
    """Return a figure with the sentence that states it, or the title of its report."""
    mention = report.mention
    quote = quote_sentences([report.sentence])[0] if report.sentence else make_quote(mention.title, mention)
    return {"value": report.value, "is_least": report.is_least, "quote": quote}


def _describe_revision(article: Article, revision: Revision) -> Answer:
    """Return how an outlet changed an article: its titles, and sentences that only one of the versions has."""
    answer: Answer = {"kind": revision.kind, "noticed_at": revision.at, "title": make_quote(article.title, article)}
    if revision.kind == "gone":
        return answer
    before, after = (
        [text[start:end] for start, end in sentences(text, article.language)]
        for text in (article.text[:COMPARED_VERSION_CHARS], revision.text[:COMPARED_VERSION_CHARS])
    )
    is_in_before, is_in_after = set(before).__contains__, set(after).__contains__
    removed, added = filterfalse(is_in_after, before), filterfalse(is_in_before, after)
    return answer | {
        "new_title": make_quote(revision.title, article) if revision.title != article.title else None,
        "removed": [make_quote(sentence, article) for sentence in islice(removed, MAX_SENTENCES_QUOTED)],
        "added": [make_quote(sentence, article) for sentence in islice(added, MAX_SENTENCES_QUOTED)],
    }


def list_kept(connection: Connection, words: str, tag: str, limit: int) -> Answer:
    """Return what the user keeps, the last kept first."""
    items = load_kept(connection, words=words, tag=tag)
    return {"total": len(items), "kept": [describe_kept(item) for item in items[: min(max(limit, 1), MAX_HITS)]]}


def describe_kept(item: KeptItem) -> Answer:
    """Return what is kept with the user's tags and note, and the title of an article."""
    title = make_quote(item.title, item.article) if item.article else None  # `story` quotes the headline of a story
    return select_fields(item, "kind", "id", "kept_at", "tags") | {"note_of_the_user": item.note, "title": title}
