"""Ordinary feeds read directly, to what feedparser would say of them, or not at all."""
