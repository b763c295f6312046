"""An event to come, as the reports of a story announce it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digests.model.edition_story import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingEvent:
    """An event with its day. An edition keeps those of earlier ones until they are over."""

    id: str  # the same in all editions, also if its story is joined or split
    kind: str  # announced, moved (to another day), off (put off without a new day, or called off)
    on: date
    until: date  # its last day: the same, or the end of a range, or of a month if only that is known
    sentence: Sentence  # that announces it
    story: str  # the id of the story that reports it, "" if none does now; it may have no line in the edition
    thread: str
    outlets: int  # independent outlets that announce it
    is_shown: bool = True  # the edition has a line for it
    change: Sentence | None = None  # of a later report: that it is moved or off
    moved_from: date | None = None
    begins_at: datetime | None = None  # if its time is known; `on` is the day of it in the zone of the digest
    sequence: int = 0  # how often it was changed

    @property
    def is_vague(self) -> bool:
        """Whether only its month, or a long range, is known."""
        return self.until - self.on > timedelta(days=7)

    def is_over(self, day: date) -> bool:
        return (self.on if self.is_vague else self.until) < day

    def is_due(self, day: date) -> bool:
        return self.on == day and not self.is_vague

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return (self.sentence, self.change) if self.change else (self.sentence,)

    @property
    def last_said(self) -> Sentence:
        return self.change or self.sentence
