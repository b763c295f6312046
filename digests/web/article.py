"""The page of an article: its cleaned text, the parts removed by each rule, and related articles."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection

from digests.render.escape import language_tag, sanitize_line, sanitize_paragraphs, web_url
from digests.render.localizer import Localizer, english, language_direction
from digests.store.stories import StoryMember, StoryRow, load_members, resolve_merged, story_members
from watcher.model import Article, RemovedBlock
from watcher.store.articles import articles_by_id
from watcher.store.pages import revisions_of
from watcher.store.writer import read
from watcher.text.page_kind import DOUBTFUL
from watcher.web.site import NotFound, PageRequest, PageResponse, Site, render_page

TEXT_BYTES = 60_000
MAX_RULES, REMOVED_CHARS = 40, 300
RELATED_ARTICLES = 12
TITLE_CHARS = 300


def article_row(article: Article, zone: tzinfo, differs: str = "") -> dict[str, Any]:
    """Return an article for a list of a page; `differs` says how a copy differs from its report's origin."""
    words = english(zone)
    title = sanitize_line(article.title, limit=TITLE_CHARS) or "Untitled"
    return {
        "id": article.id,
        "title": title,
        "lang": language_tag(article.language),
        "dir": language_direction(article.language, title),
        "outlet": sanitize_line(article.outlet, limit=100),
        "about": words.join((words.country(article.country), words.in_language(article.language))),
        "at": article.published_at,
        "differs": differs,
    }


def article_page(site: Site, ask: PageRequest) -> PageResponse:
    article, known = read(site.engine, load_details, ask.params["article"], site.zone)
    paragraphs, left = sanitize_paragraphs(article.text, max_bytes=TEXT_BYTES)
    return render_page(
        site,
        "article.html.j2",
        package="digests.web",
        **known,
        a=article,
        title=sanitize_line(article.title, limit=TITLE_CHARS) or "Untitled",
        url=web_url(article.url),
        lang=language_tag(article.language),
        dir=language_direction(article.language, article.title or article.text[:200]),
        about=byline(article, english(site.zone)),
        paragraphs=paragraphs,
        left=left,
        removed=removed_by_rule(article.removed),
    )


def load_details(connection: Connection, key: str, zone: tzinfo) -> tuple[Article, dict[str, Any]]:
    found = articles_by_id(connection, [key]).get(key)
    if found is None:
        raise NotFound("This article is not stored.")
    member = load_members(connection, [key]).get(key)
    story = resolve_merged(connection, member.story_id) if member else None
    related = related_articles(connection, story, member, zone) if member and story else ()
    return found, {"revisions": revisions_of(connection, [key]).get(key, ()), "story": story, "related": related}


def related_articles(
    connection: Connection, story: StoryRow, member: StoryMember, zone: tzinfo
) -> list[tuple[dict[str, Any], float | None]]:
    """Return a story's articles nearest to one, each with its link's score or None: linked ones, copies, others."""
    others = [each for each in story_members(connection, story.id) if each.article_id != member.article_id]
    scores: dict[str, float] = {}
    if member.nearest and member.evidence:
        scores[member.nearest] = float(member.evidence["score"])
    for each in others:
        if each.nearest == member.article_id and each.evidence:
            scores[each.article_id] = max(scores.get(each.article_id, 0.0), float(each.evidence["score"]))

    def rank(each: StoryMember) -> tuple[float, bool, str]:
        return -scores.get(each.article_id, 0.0), each.report != member.report, each.article_id

    chosen = [each.article_id for each in sorted(others, key=rank)[:RELATED_ARTICLES]]
    articles = articles_by_id(connection, chosen)
    return [(article_row(articles[key], zone), scores.get(key)) for key in chosen if key in articles]


def byline(found: Article, words: Localizer) -> str:
    parts = (
        words.country(found.country),
        words.in_language(found.language),
        ", ".join(sanitize_line(author, limit=80) for author in found.authors[:6]),
        sanitize_line(found.agency or "", limit=80) if found.agency not in found.authors else "",
        sanitize_line(found.dateline or "", limit=80),
        {"article": "", DOUBTFUL: "text doubtful, not quoted"}.get(found.kind, found.kind),
        "only the beginning of the text" if found.is_truncated else "",
        "text from the feed" if found.from_feed else "",
    )
    return " · ".join(part for part in parts if part)


def removed_by_rule(removed: Sequence[RemovedBlock]) -> list[tuple[str, list[str], int]]:
    """Return (rule, some of the removed texts, number of them) for each cleaning rule that removed something."""
    found: dict[str, list[str]] = {}
    for each in removed:
        found.setdefault(each.rule, []).append(sanitize_line(each.text, limit=REMOVED_CHARS))
    share = max(3, MAX_RULES // max(1, len(found)))
    shown = list(found.items())[:MAX_RULES]
    return [(sanitize_line(rule, limit=100), texts[:share], len(texts)) for rule, texts in shown]
