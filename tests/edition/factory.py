"""Editions for tests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from digests.edition.build import build_edition, build_unsaved_edition
from digests.edition.schedule import EditionRequest
from digests.model.edition import Edition
from digests.settings.digests import DigestSettings


def make_edition(engine: Engine, digest: DigestSettings, request: EditionRequest, *, now: datetime) -> Edition | None:
    """Return the requested edition, stored if it has a slot; None if somebody else builds it."""
    if request.slot is None:
        return build_unsaved_edition(engine, digest, request, now=now)
    built = build_edition(engine, digest, request, now=now)
    return built.edition if built else None
