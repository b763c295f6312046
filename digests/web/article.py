"""The page of an article: its cleaned text, what was removed by which rule, and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from digests.render import safe
from digests.render.words import Words
from digests.store.stories import StoryMember, StoryRow, members_of, resolve_merged, story_members
from digests.web.tongues import dir_of, plain_words
from watcher.model import Article, Removed, Revision
from watcher.store.articles import articles_by_id
from watcher.store.pages import revisions_of
from watcher.store.writer import read
from watcher.web.site import Ask, Missing, Reply, Site
from watcher.web.templating import page_of

TEXT_BYTES = 60_000
REMOVED, REMOVED_CHARS = 40, 300
NEIGHBOURS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another article of the same story. `score`: how like the two are, where that made the link."""

    id: str
    title: str
    outlet: str
    language: str
    published_at: datetime
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All about one article."""

    article: Article
    revisions: tuple[Revision, ...]
    story: StoryRow | None
    neighbours: tuple[Neighbour, ...]


def article(site: Site, ask: Ask) -> Reply:
    """Answer the page of an article."""
    told = read(site.engine, told_of, ask.params["article"])
    paragraphs, left = cut(told.article.text)
    words = plain_words(site.zone)
    return page_of(
        site,
        "article.html.j2",
        package="digests.web",
        t=told,
        a=told.article,
        title=safe.inert(told.article.title, limit=300) or "Untitled",
        url=safe.web_url(told.article.url),
        lang=safe.language_tag(told.article.language),
        dir=dir_of(told.article.language, told.article.title or told.article.text[:200]),
        about=about(told.article, words),
        paragraphs=paragraphs,
        left=left,
        removed=by_rule(told.article.removed),
    )


def told_of(connection: Connection, key: str) -> Told:
    """Return all about an article."""
    found = articles_by_id(connection, [key]).get(key)
    if found is None:
        raise Missing("No such article is stored.")
    member = members_of(connection, [key]).get(key)
    story = resolve_merged(connection, member.story) if member else None
    return Told(
        article=found,
        revisions=revisions_of(connection, [key]).get(key, ()),
        story=story,
        neighbours=neighbours(connection, story, member) if member and story else (),
    )


def neighbours(connection: Connection, story: StoryRow, member: StoryMember) -> tuple[Neighbour, ...]:
    """Return the articles of a story nearest to one: what it was linked by and to, its copies, then the rest."""
    others = [each for each in story_members(connection, story.id) if each.article != member.article]
    scores: dict[str, float] = {}
    for each in (member, *others):
        other = each.nearest if each is member else each.article
        if other and each.evidence and (each is member or each.nearest == member.article):
            scores[other] = max(scores.get(other, 0.0), float(each.evidence["score"]))

    def place(each: StoryMember) -> tuple[float, bool, str]:
        return -scores.get(each.article, 0.0), each.report != member.report, each.article

    chosen = sorted(others, key=place)[:NEIGHBOURS]
    articles = articles_by_id(connection, [each.article for each in chosen])
    return tuple(
        Neighbour(
            id=found.id,
            title=safe.inert(found.title, limit=300) or "Untitled",
            outlet=safe.inert(found.outlet, limit=100),
            language=safe.language_tag(found.language),
            published_at=found.published_at,
            score=scores.get(found.id),
        )
        for each in chosen
        if (found := articles.get(each.article))
    )


def about(found: Article, words: Words) -> str:
    """Return who wrote it, where and in which language, in one line."""
    parts = (
        words.country(found.country),
        words.in_language(found.language),
        ", ".join(safe.inert(author, limit=80) for author in found.authors[:6]),
        safe.inert(found.agency or "", limit=80) if found.agency not in found.authors else "",
        safe.inert(found.dateline or "", limit=80),
        found.kind if found.kind != "article" else "",
        "a beginning: the rest is behind a wall" if found.is_truncated else "",
        "the feed’s own text" if found.from_feed else "",
    )
    return " · ".join(part for part in parts if part)


def cut(text: str) -> tuple[list[str], int]:
    """Return the paragraphs of a text up to `TEXT_BYTES`, and how many are left out."""
    lines = [line for line in text.split("\n") if line.strip()]
    used, shown = 0, list[str]()
    for line in lines:
        line = safe.inert(line, limit=TEXT_BYTES // 4)
        used += len(line.encode())
        if used > TEXT_BYTES and shown:
            break
        shown.append(line)
    return shown, len(lines) - len(shown)


def by_rule(removed: Sequence[Removed]) -> list[tuple[str, list[str], int]]:
    """Return what cleaning cut, by its rule: some of the texts, and how many there are."""
    found: dict[str, list[str]] = {}
    for each in removed:
        found.setdefault(each.rule, []).append(safe.inert(each.text, limit=REMOVED_CHARS))
    share = max(3, REMOVED // max(1, len(found)))
    return [(safe.inert(rule, limit=100), texts[:share], len(texts)) for rule, texts in list(found.items())[:REMOVED]]
