"""What an edition leaves out, and why: computed again from the store, for a reader who asks."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from digests.analysis.select import Cause
from digests.compose.context import EditionInputs
from digests.compose.edition import LeftOutStory, find_left_out
from digests.edition.load import load_edition_inputs, load_excluded_articles
from digests.edition.schedule import EditionRequest
from digests.model.edition import Edition
from digests.settings.digests import DigestSettings
from digests.stories.window import GroupedStories, cluster_preview
from watcher.model import Article
from watcher.store.writer import read


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutItems:
    """What an edition leaves out: articles with their causes, by id, and stories, the best first."""

    edition: Edition
    articles: Mapping[str, tuple[Article, Cause]]
    stories: tuple[LeftOutStory, ...]
    wanted: int  # stories that the digest's regions, topics and phrases admit


def load_left_out(engine: Engine, digest: DigestSettings, edition: Edition) -> LeftOutItems:
    """
    Return what a stored edition leaves out; nothing is saved.

    The articles of its window are grouped and ranked again with the present settings. What has come in since may change
    the places of stories a little; what the edition shows is taken from the edition itself, also if the present
    settings would leave it out. Errors: StoreError.
    """
    request = EditionRequest(
        local_date=edition.local_date,
        window_start=edition.window_start,
        window_end=edition.window_end,
        slot=None,
        number=edition.number,
    )
    grouped = cluster_preview(engine, start=edition.window_start, end=edition.window_end)
    excluded, inputs = read(engine, _load, digest, request, grouped, edition)
    shown, article_ids = shown_places(edition), shown_articles(edition)
    stories = find_left_out(inputs, shown)
    return LeftOutItems(
        edition=edition,
        articles={article.id: (article, cause) for article, cause in excluded if article.id not in article_ids},
        stories=stories,
        wanted=sum(story.place is not None for story in stories) + len(shown),
    )


def _load(
    connection: Connection, digest: DigestSettings, request: EditionRequest, grouped: GroupedStories, edition: Edition
) -> tuple[list[tuple[Article, Cause]], EditionInputs]:
    inputs = load_edition_inputs(connection, digest, request, grouped, now=edition.made_at)
    return load_excluded_articles(connection, digest, request, grouped), inputs


def shown_places(edition: Edition) -> dict[str, str]:
    """Return where an edition shows a story, by the story's id, in words: "in full, as number 3"."""
    places = {brief.id: "in one line" for brief in edition.briefs}
    for story in edition.stories:
        places |= {brief.id: f"in one line, under number {story.number}" for brief in story.related}
    return places | {story.id: f"in full, as number {story.number}" for story in edition.stories}


def shown_articles(edition: Edition) -> dict[str, str]:
    """Return where an edition shows an article, as in `shown_places`, by the article's id."""
    places = shown_places(edition)
    listed = [brief for story in edition.stories for brief in story.related]
    found = {key: places[brief.id] for brief in (*edition.briefs, *listed) for key in brief.article_ids}
    return found | {key: places[story.id] for story in edition.stories for key in story.article_ids}
