"""`watcher explain`: why an article is not in an edition, or is in a story, and who does not report a story."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from sqlalchemy import Connection
from typer import Argument

from digests.analysis.country_names import country_name
from digests.cli.left_out import explain_absence, format_absences
from digests.cli.lookup import parse_story_id
from digests.cluster.explain import (
    PairExplanation,
    SurfaceForms,
    describe_common_ground,
    describe_decision,
    describe_differences,
    explain_pair,
)
from digests.cluster.item import sort_by_time
from digests.cluster.nearest import FAR
from digests.errors import AmbiguousStory, DigestError
from digests.model.edition_story import MissingPerspective
from digests.store.editions import last_places, open_digests
from digests.store.stories import active_corrections
from digests.store.story_rows import load_members
from digests.stories.history import find_article, look_up_article, resolve_story
from digests.stories.window import load_items, load_window
from watcher.cli.options import Config, Json, closing_store, load_settings
from watcher.cli.output import MINUTE, format_minute, print_result, select_fields
from watcher.model import Article
from watcher.settings.models import Settings
from watcher.store.articles import articles_by_id
from watcher.store.pages import PageState, find_page
from watcher.store.writer import read
from watcher.text.format import format_count
from watcher.text.plain_text import to_one_line
from watcher.text.urls import is_web

REASON_CHARS = 200
WINDOW_BEFORE = timedelta(days=6)  # before the later of two articles: what can be in one story with it
WINDOW_AFTER = timedelta(days=1)  # after the later of two articles: what arrived with it


def explain(
    one: Annotated[str, Argument(metavar="ARTICLE|STORY", help="Id or URL of an article, or a story.")],
    other: Annotated[str | None, Argument(metavar="[ARTICLE]", help="Id or URL of another article.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """
    Explain why an article is not in an edition, or why two articles are, or are not, in the same story.

    If you give one article, the command says for the newest edition of each digest where its story is shown, or why it
    is left out: the place of its story, a mute rule, the time, or a page that could not be fetched.

    If you give two, it shows what they share, what only one of them has, and what the decision depends on.

    An edition can say that no outlet in a certain country, or with a certain kind of owner, reports a story. If you
    give a story alone, the command shows, for each such country or kind of owner, which article of its outlets is most
    similar to the story.
    """
    settings = load_settings(config)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        if other is None and (article := read(engine, look_up_article, one)):
            absences = explain_absence(engine, settings, article)
            member = read(engine, load_members, [article.id]).get(article.id)
            story = member.story_id if member else None
            row = select_fields(article, "id", "url", "outlet", "title", "published_at", "fetched_at")
            row |= {"story": story, "editions": absences}
            print_result(row, format_absences(article, story, absences), json=json, links=True)
            return
        if other is None and (page := read(engine, find_page, one)):
            values = select_fields(page, "article_id", "url", "outlet", "tries", "next_try_at")
            values |= {"reason": str(page.reason) if page.reason else None}
            print_result(values, _format_page(page), json=json, links=True)
            return
        if other is None:
            silent, nearest = read(engine, _load_silence, settings, one)
            print_result(silent, _format_silence(silent, nearest), json=json, links=True)
            return
        articles = (read(engine, find_article, one), read(engine, find_article, other))
        pair, stories = read(engine, _load_explanation, *articles)
    rows = [{"id": article.id, "url": article.url, "story": stories.get(article.id)} for article in articles]
    values = {"articles": rows, "words": describe_decision(pair), **asdict(pair)}
    print_result(values, _format_pair(pair, articles, stories), json=json, links=True)


def _format_page(page: PageState) -> Iterator[str]:
    """Yield why a page that a feed lists is not an article yet, and when it is tried again."""
    yield f"{page.url} is listed by {page.outlet}, but its page is not an article yet, so it is in no edition:"
    if page.reason is None:
        yield "  it is not fetched yet; watcher poll, or a running daemon, fetches it"
    else:
        again = f"next try at {format_minute(page.next_try_at)}" if page.next_try_at else "given up"
        yield f"  {to_one_line(str(page.reason), REASON_CHARS)} ({format_count(page.tries, 'try', 'tries')}, {again})"


def _load_explanation(connection: Connection, a: Article, b: Article) -> tuple[PairExplanation, dict[str, str]]:
    """Return the decision on two articles, and their stories by article id. Errors: DigestError."""
    if a.id == b.id:
        raise DigestError(f"both are the same article, {a.id}")
    last = max(a.published_at, b.published_at)
    start = max(min(a.published_at, b.published_at), last - WINDOW_BEFORE)
    window = load_window(connection, start=start, end=last + WINDOW_AFTER)
    known = {**window.items, **load_items(connection, (a, b))}
    for article in (a, b):
        if article.id not in known:
            raise DigestError(f"the features of article {article.id} are not computed yet; watcher poll computes them")
    members = {**window.members, **load_members(connection, (a.id, b.id))}
    stories = {key: member.story_id for key, member in members.items() if key in known}
    reports = {key: member.report for key, member in members.items() if key in known}
    corrections = active_corrections(window.corrections)
    items = sort_by_time(known.values())
    return explain_pair(a.id, b.id, items, stories=stories, reports=reports, corrections=corrections), stories


def _load_silence(
    connection: Connection, settings: Settings, story: str
) -> tuple[tuple[MissingPerspective, ...], dict[str, Article]]:
    """Return who is said not to report a story, and the articles nearest to it, by id. Errors: DigestError."""
    wanted = _resolve_explained(connection, settings, story)
    if not (places := last_places(connection, settings, wanted)):
        raise DigestError(f"no digest's last edition shows story {wanted} in full", hint="watcher story list")
    silent = places[0][1].silent
    return silent, articles_by_id(connection, (feed.nearest for feed in silent))


def _resolve_explained(connection: Connection, settings: Settings, wanted: str) -> str:
    """Return the id of the story that is to be explained. Errors: DigestError, which says what can be explained."""
    number = parse_story_id(connection, settings, wanted)
    try:
        return resolve_story(connection, number)[1].id
    except AmbiguousStory:
        raise
    except DigestError as error:
        kind = "address" if is_web(wanted) else "id"
        raise DigestError(
            f"nothing in the store has the {kind} {wanted!r}: expected the id or address of an article, "
            "the number of a story in the newest edition, its id (s1f2e3d4c5b) or its link",
            hint="watcher search WORDS finds articles and the ids of their stories; watcher story list lists stories",
        ) from error


def _format_silence(silent: Sequence[MissingPerspective], nearest: Mapping[str, Article]) -> Iterator[str]:
    """Yield, for each country or kind of owner that reports nothing, its article that is most similar to the story."""
    if not silent:
        yield "The edition names no country or kind of owner that does not report this story."
    for feed in silent:
        name = country_name(feed.name, "en") if feed.group == "country" else feed.name
        yield f"{name}: {format_count(feed.outlets, 'outlet')} read, none reported it. The most similar article:"
        if article := nearest.get(feed.nearest):
            yield f"  {article.outlet}, {article.published_at:{MINUTE}}, {article.language}: {article.title}"
            yield f"  {article.id}  {article.url}"
        if feed.nearest:  # an edition made by an earlier version has none
            yield f"  Similarity {feed.likeness:.2f} (at {FAR:.2f} it could be a report, and {name} would not be named)"


def _format_pair(pair: PairExplanation, articles: tuple[Article, ...], stories: Mapping[str, str]) -> Iterator[str]:
    """Yield why two articles are, or are not, in one story; `stories` are story ids by article id."""
    for place, article in zip(("first", "second"), articles, strict=True):
        yield f"{place}: {article.outlet}, {article.published_at:{MINUTE}}, {article.language}: {article.title}"
        story = stories.get(article.id)
        yield f"        {article.id}, {f'in story {story}' if story else 'in no story: no edition has covered it'}"
    yield ""
    yield describe_decision(pair)
    texts = ((f"{article.title}\n{article.text}", article.language) for article in articles)
    spelling = SurfaceForms(texts)
    for heading, lines in (
        ("For the same story:", list(describe_common_ground(pair.evidence, spelling))),
        ("Against:", list(describe_differences(pair.evidence, spelling))),
    ):
        if lines:
            yield from (heading, *(f"  {line}" for line in lines))
    yield f"Probability of one event: {pair.score:.2f} ({pair.threshold:.2f} or more joins two reports)."
