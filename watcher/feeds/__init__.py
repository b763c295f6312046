"""Parses feeds, compares their entries with the known ones, and schedules the next poll."""
