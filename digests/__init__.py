"""Builds digests from the stored articles and delivers them."""
