"""Hypothesis without its clock: what costs time is measured where it matters, and machines are busy."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
