"""A story, the articles on one event, as grouping finds it."""

from dataclasses import dataclass
from datetime import datetime

MERGED, SPLIT = "merged", "split"  # what can become of a story


@dataclass(frozen=True, slots=True, kw_only=True)
class WireGroup:
    """Articles that carry one text: the origin first, then its copies, whole or rewritten, in time order."""

    articles: tuple[str, ...]  # article ids
    agency: str | None = None
    rewritten_from: str | None = None  # origin of the group that its text is rewritten from, until they are joined

    @property
    def origin(self) -> str:
        return self.articles[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The articles on one event. `id` is from the earliest; tracking replaces it, and sets `thread` and the rest."""

    id: str
    articles: tuple[str, ...]  # article ids, in time order
    wire_groups: tuple[WireGroup, ...]  # they partition `articles`
    thread: str = ""  # id shared by the stories that follow each other over days
    began_at: datetime | None = None  # when the first article of the thread was published; in an edition, of the story
    merged_ids: tuple[str, ...] = ()  # ids of stories that were merged into it
    is_parted: bool = False  # into parts, of which this is the core; about every other part is on its event
    margin: frozenset[str] = frozenset()  # articles that are counted, but tell the story only if no others can
