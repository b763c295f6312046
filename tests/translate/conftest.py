"""Fixtures: a store, and a folder with Firefox's model from Portuguese to English."""

from tests.digest_store import engine, put
from tests.translate.models import models

__all__ = ["engine", "models", "put"]
