"""An edition, one issue of a digest."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated

from pydantic import Field

from digests.model.coming_event import ComingEvent
from digests.model.edition_story import Brief, EditionStory, GlanceLine
from digests.model.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of an edition: a region, a section of the sources, or the stories that the reader follows."""

    title: str
    anchor: str
    stories: tuple[EditionStory, ...]  # may be empty if `followed`: then the edition has briefs of them
    followed: Annotated[bool, Field(exclude_if=lambda is_followed: not is_followed)] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A change that an outlet made to a report after an edition cited it."""

    kind: str  # headline, figures, text, retracted, gone
    article_id: str
    outlet: str
    url: str
    language: str
    cited_on: date  # date of the edition that cited it
    story: str  # the story's id and headline in that edition
    title: str
    before: str  # from the stored article
    after: str  # from the page at the recheck; "" if the page is gone
    noticed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One issue of a digest, complete: it is rendered, stored and replayed."""

    digest: str  # the digest's name in the settings
    title: str  # "World Digest"
    number: int
    local_date: date
    timezone: str
    language: str
    window_start: datetime
    window_end: datetime
    made_at: datetime
    previous: date | None
    sections: tuple[Section, ...]
    briefs: tuple[Brief, ...]
    ledger: Ledger
    reading_minutes: int  # to read
    note: str = ""  # Markdown of the settings, shown at the top
    corrections: tuple[Correction, ...] = ()  # of what earlier editions cited
    ended: tuple[Brief, ...] = ()  # stories of the last edition that nobody reports any longer
    at: time | None = None  # its time of day, if it is a scheduled edition but not the first of its date
    previous_at: time | None = None  # the same of the previous edition
    at_a_glance: tuple[GlanceLine, ...] = ()  # its first lines, one a story, in the order of their stories
    coming_up: tuple[ComingEvent, ...] = ()  # announced by its reports or earlier ones, by day; some are shown

    @property
    def suffix(self) -> str:
        """What follows the date in the names of its files and in its ids; of an edition on demand, see `EditionKey`."""
        return f"-{self.at:%H%M}" if self.at else ""

    @property
    def stories(self) -> tuple[EditionStory, ...]:
        """The stories of all sections, by their number."""
        return tuple(sorted((s for section in self.sections for s in section.stories), key=lambda s: s.number))

    @property
    def told(self) -> tuple[EditionStory | Brief, ...]:
        """All that it told of its period: the stories in full, and those in one line, also under others."""
        return (*self.stories, *self.briefs, *(brief for story in self.stories for brief in story.related))

    @property
    def all_briefs(self) -> tuple[Brief, ...]:
        """All stories in one line: the briefs, those that have ended, and those that are listed under others."""
        return (*self.briefs, *self.ended, *(brief for story in self.stories for brief in story.related))
