"""Sentences for a story, verbatim."""
