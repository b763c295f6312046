"""The events to come of a story, as the latest editions have them."""

from sqlalchemy import Connection

from digests.model.coming_event import ComingEvent
from digests.settings.digests import digests_of
from digests.store.editions import get_edition
from digests.store.story_rows import StoryRow, load_members, resolve_merged
from watcher.settings.models import Settings


def events_of_story(connection: Connection, settings: Settings, row: StoryRow) -> tuple[ComingEvent, ...]:
    """
    Return the events that reports of a story or of its thread announce, by day, each once.

    An event belongs to the story that has its report now, so that it follows the report when stories are joined or
    split.
    """
    latest = [edition for digest in digests_of(settings) if (edition := get_edition(connection, digest.name))]
    events = {event.id: event for edition in latest for event in edition.coming_up}
    members = load_members(connection, {event.sentence.article_id for event in events.values()})
    stories = {key: resolve_merged(connection, key) for key in {member.story_id for member in members.values()}}

    def is_of_story(event: ComingEvent) -> bool:
        member = members.get(event.sentence.article_id)
        story = stories[member.story_id] if member else None
        return bool(story and (story.id == row.id or (row.thread and story.thread == row.thread)))

    return tuple(sorted(filter(is_of_story, events.values()), key=lambda event: (event.on, event.id)))
