"""`watcher explain`: why two articles are, or are not, in one story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, TypeAlias

from sqlalchemy import Connection
from typer import Argument

from digests.cli.lookup import article_named
from digests.cluster.constraints import resolve_corrections
from digests.cluster.explain import (
    ExplainContext,
    PairExplanation,
    SurfaceForms,
    describe_common_ground,
    describe_decision,
    describe_differences,
    explain_pair,
)
from digests.cluster.item import sort_by_time
from digests.errors import DigestError
from digests.store.corrections import holding
from digests.store.editions import open_digests
from digests.store.stories import StoryMember, members_of
from digests.stories.window import items, window_of
from watcher.cli.app import DONE, Config, Json, examples, load_settings
from watcher.cli.output import print_json, print_lines
from watcher.model import Article
from watcher.store.writer import read

Explained: TypeAlias = tuple[PairExplanation, Mapping[str, StoryMember], tuple[Article, Article]]

ARTICLE = Annotated[str, Argument(metavar="ARTICLE", help="Its id, or its URL.")]
BEFORE = timedelta(days=6)  # the later article: what it may be in a story with
AFTER = timedelta(days=1)  # it: what came in with it


@examples("watcher explain 1f2e3d4c5b6a7988 8f7e6d5c4b3a2910", "watcher explain https://one.org/a https://two.org/b")
def command(one: ARTICLE, other: ARTICLE, config: Config = None, json: Json = False) -> int:
    """Say why two articles are in one story or not: what they share, what only one has, and what decides."""
    settings = load_settings(config)
    engine = open_digests(settings.store.url, make=False)
    try:
        found, members, articles = read(engine, explained, one, other)
    finally:
        engine.dispose()
    if json:
        print_json(as_json(found, members, articles), links=True)
    else:
        print_lines(lines(found, members, articles), links=True)
    return DONE


def explained(connection: Connection, one: str, other: str) -> Explained:
    """Return what decides on two articles, with their rows in stories, and the articles. Errors: DigestError."""
    a, b = article_named(connection, one), article_named(connection, other)
    if a.id == b.id:
        raise DigestError(f"both are the same article, {a.id}")
    last = max(a.published_at, b.published_at)
    window = window_of(connection, start=max(min(a.published_at, b.published_at), last - BEFORE), end=last + AFTER)
    known = {**window.items, **{item.article_id: item for item in items(connection, (a, b))}}
    for article in (a, b):
        if article.id not in known:
            raise DigestError(f"the features of article {article.id} are not made yet; watcher poll makes them")
    members = {**window.kept.members, **members_of(connection, (a.id, b.id))}
    corrections = holding(window.corrections)
    grouped = ExplainContext(
        items=tuple(sort_by_time(list(known.values()))),
        stories={key: member.story for key, member in members.items() if key in known},
        reports={key: member.report for key, member in members.items() if key in known},
        rules=resolve_corrections(corrections),
        corrections=corrections,
    )
    found = explain_pair(a.id, b.id, grouped)
    return found, {article.id: members[article.id] for article in (a, b) if article.id in members}, (a, b)


def lines(found: PairExplanation, members: Mapping[str, StoryMember], articles: Sequence[Article]) -> Iterator[str]:
    """Yield the verdict, and what can be checked in the two texts."""
    for place, article in zip(("first", "second"), articles, strict=True):
        yield f"{place}: {article.outlet}, {article.published_at:%Y-%m-%d %H:%M}, {article.language}: {article.title}"
        member = members.get(article.id)
        where = f"in story {member.story}" if member else "in no story: no edition has looked at it"
        yield f"        {article.id}, {where}"
    yield ""
    yield describe_decision(found)
    spelling = SurfaceForms((f"{article.title}\n{article.text}", article.language) for article in articles)
    for heading, parts in (("For one event:", describe_common_ground), ("Against:", describe_differences)):
        told = list(parts(found.evidence, spelling))
        if told:
            yield heading
            yield from (f"  {each}" for each in told)
    yield f"The two alone are alike by {found.score:.2f}; {found.threshold:.2f} joins two reports."


def as_json(found: PairExplanation, members: Mapping[str, StoryMember], articles: Sequence[Article]) -> dict[str, Any]:
    """Return the verdict as JSON."""
    told = [
        {"id": article.id, "url": article.url, "story": members[article.id].story if article.id in members else None}
        for article in articles
    ]
    return {"articles": told, "words": describe_decision(found), **asdict(found)}
