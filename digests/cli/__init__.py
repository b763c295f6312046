"""The digests' commands."""
