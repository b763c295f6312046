"""Builds one edition, from its due time to its files and messages."""
