"""A cache of editions for pages; editions never change."""

from __future__ import annotations

import json
import zlib
from datetime import date
from functools import lru_cache

from sqlalchemy import Connection, Engine

from digests.edition.publish import load_own_templates
from digests.model import Edition, EditionStory
from digests.settings.digests import DigestSettings, digests_of
from digests.store.editions import EditionRow, find_row, load_edition, payload_of
from watcher.settings.models import Settings
from watcher.store.writer import read

MAX_EDITIONS, MAX_HEADLINES = 8, 4_000  # in memory


class EditionCache:
    """The stored editions and their lead headlines, for one state of the settings."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.engine = engine
        self.digests = digests_of(settings)
        self.own_templates = lru_cache(load_own_templates)
        self.load_edition = lru_cache(MAX_EDITIONS)(lambda row: read(engine, load_edition, row))
        self.lead_headline = lru_cache(MAX_HEADLINES)(lambda row: read(engine, load_lead_headline, row))

    def digest(self, name: str) -> DigestSettings:
        """Return the settings of a digest; those of the first digest if the settings no longer have it."""
        return next((digest for digest in self.digests if digest.name == name), self.digests[0])

    def find_row(self, digest: str, day: date | None = None) -> EditionRow | None:
        """Return the row of a date's edition, by default the latest: the daily one, else the newest; None if none."""
        return read(self.engine, find_row, digest, day)

    def find_edition(self, digest: str, day: date | None = None) -> Edition | None:
        """Return the edition that `find_row` finds; None if there is none."""
        row = self.find_row(digest, day)
        return self.load_edition(row) if row else None

    def find_story(self, story: str) -> tuple[Edition, EditionStory] | None:
        """Return the newest of the digests' latest editions with the story in full, and the story; None without one."""
        latest = [edition for digest in self.digests if (edition := self.find_edition(digest.name))]
        for edition in sorted(latest, key=lambda each: each.made_at, reverse=True):
            for shown in edition.stories:
                if shown.id == story:
                    return edition, shown
        return None


def load_lead_headline(connection: Connection, row: EditionRow) -> str:
    """Return the lead headline of an edition, "" without stories; faster than loading the edition."""
    edition = json.loads(zlib.decompress(payload_of(connection, row)))["edition"]
    stories = [story for section in edition["sections"] for story in section["stories"]]
    return str(min(stories, key=lambda story: story["number"])["title"]) if stories else ""
