"""Fixtures: a store with a few articles."""

from tests.digest_store import engine, put

__all__ = ["engine", "put"]
