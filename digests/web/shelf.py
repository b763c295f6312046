"""The editions that pages are made from: read once, since an edition never changes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Hashable, Sequence
from datetime import date
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Engine

from digests.edition.publish import own_templates
from digests.errors import DigestError
from digests.model import Edition, EditionStory
from digests.render.templating import Own
from digests.settings.digests import DigestSettings, digests_of
from digests.store.editions import EditionRow, edition_rows, load_edition, payload_of
from digests.store.stories import resolve_merged, story_members
from digests.stories.history import resolve_story
from watcher.settings.model import Settings
from watcher.store.writer import read

T = TypeVar("T")
WHOLE, MADE, TITLES = 8, 64, 4_000  # editions, pages made of them, and headlines that are kept in memory


class Kept:
    """The last values that were made, by key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Hashable, Any] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of a key, made if it is not there."""
        with self._lock:
            if key in self._values:
                self._values[key] = value = self._values.pop(key)  # the last to go
                return value  # type: ignore[no-any-return]
        made = make()
        with self._lock:
            self._values[key] = made
            while len(self._values) > self._most:
                self._values.pop(next(iter(self._values)))
        return made


class Shelf:
    """Editions, what is made of them, and their headlines; for one state of the settings."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        self.digests = digests_of(settings)
        self.made = Kept(MADE)
        self._whole = Kept(WHOLE)
        self._titles = Kept(TITLES)
        self._own: dict[str, Own] = {}

    def digest(self, name: str) -> DigestSettings:
        """Return the settings of a digest; those of the first for one that is no longer named."""
        return next((digest for digest in self.digests if digest.name == name), self.digests[0])

    def own(self, digest: DigestSettings) -> Own:
        """Return the reader's templates of a digest. Errors: DigestError."""
        if digest.name not in self._own:
            self._own[digest.name] = own_templates(digest.templates)
        return self._own[digest.name]

    def row(self, digest: str, day: date | None = None) -> EditionRow | None:
        """Return the row of the edition of a date, by default the latest: the daily one, else the last made."""
        rows: Sequence[EditionRow]
        if day is None:
            latest = read(self.engine, edition_rows, digest, most=1)
            if not latest:
                return None
            day = latest[0].local_date
        rows = read(self.engine, edition_rows, digest, day=day)
        return max(rows, key=lambda row: (row.is_daily, row.made_at), default=None)

    def edition(self, digest: str, day: date | None = None) -> Edition | None:
        """Return the edition of a date, by default the latest."""
        row = self.row(digest, day)
        return self.whole(row) if row else None

    def whole(self, row: EditionRow) -> Edition:
        """Return the edition of a row."""
        return self._whole.get(row, lambda: read(self.engine, load_edition, row))

    def title(self, row: EditionRow) -> str:
        """Return the lead headline of an edition, "" if it has no story."""
        return self._titles.get(row, lambda: lead(read(self.engine, payload_of, row)))

    def last_told(self, story: str) -> tuple[Edition, EditionStory] | None:
        """Return a story as the latest edition of any digest tells it in full, None if no last edition does."""
        latest = [edition for digest in self.digests if (edition := self.edition(digest.name))]
        for edition in sorted(latest, key=lambda each: each.made_at, reverse=True):
            for story_told in edition.stories:
                if story_told.id == story:
                    return edition, story_told
        return None

    def paths_of(self, story: str) -> list[str]:
        """Return the paths of a story's pages and of its articles; none if it is not known any more."""
        from digests.web.story import ON_A_PAGE

        def do(connection: Any) -> list[str]:  # noqa: ANN401 - a connection
            asked = resolve_story(connection, story)
            row = resolve_merged(connection, asked.id) or asked
            members = story_members(connection, row.id)
            pages = [f"/story/{row.id}/page-{n}" for n in range(2, -(-len(members) // ON_A_PAGE) + 1)]
            return [f"/story/{row.id}", f"/story/{story}", *pages, *(f"/article/{one.article}" for one in members)]

        try:
            return read(self.engine, do)
        except DigestError:
            return []


def lead(payload: bytes) -> str:
    """Return the lead headline in an edition's bytes; the whole is not read for it."""
    edition = json.loads(zlib.decompress(payload))["edition"]
    stories = [story for section in edition["sections"] for story in section["stories"]]
    return str(min(stories, key=lambda story: story["number"])["title"]) if stories else ""
