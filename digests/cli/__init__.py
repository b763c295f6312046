"""The digest's commands."""
