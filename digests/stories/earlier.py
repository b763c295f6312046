"""What was there before: earlier stories that are clearly near to a story in meaning, as precedents for a reader."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from digests.store.stories import story_vector, vectors_of_earlier
from digests.store.story_rows import StoryRow, load_story, story_members
from digests.stories.meaning import center_vector
from watcher.model import Article
from watcher.store.articles import article_leads, newest_articles

MAX_EARLIER = 3
QUIET = timedelta(days=7)  # between the last report of an earlier story and the first of this one
# Cosine of two stories, each less its language's mean. Of the stories of two unrelated days, one in a hundred has any
# of the other day above 0.60, with both embedders (bench/claims.py has the days).
CLEARLY_NEAR = 0.65


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierStory:
    """An earlier story, and its newest report, whose headline tells how it ended."""

    row: StoryRow
    likeness: float
    outcome: Article


def find_earlier(connection: Connection, row: StoryRow) -> tuple[EarlierStory, ...]:
    """Return up to `MAX_EARLIER` earlier stories of other threads, the nearest first; none without vectors."""
    vector_and_model = story_vector(connection, row.id)
    if vector_and_model is None:
        return ()
    vector, model = vector_and_model
    wanted = center_vector(vector, model, row.language)
    near: list[tuple[float, str]] = []
    for story, language, other in vectors_of_earlier(connection, model, before=row.first_at - QUIET, thread=row.thread):
        if len(other) == len(vector):
            likeness = float(center_vector(other, model, language) @ wanted)
            near += [(likeness, story)] if likeness >= CLEARLY_NEAR else []
    stories = []
    for likeness, story in sorted(near, reverse=True)[:MAX_EARLIER]:
        members = [member.article_id for member in story_members(connection, story)]
        newest = newest_articles(connection, members, limit=1)
        earlier = load_story(connection, story)
        if newest and earlier:  # its articles may be removed since
            outcome = article_leads(connection, newest, chars=0)[newest[0]]
            stories.append(EarlierStory(row=earlier, likeness=round(likeness, 3), outcome=outcome))
    return tuple(stories)
