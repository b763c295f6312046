"""Sends a message when something has failed for a while, and one when it works again."""
