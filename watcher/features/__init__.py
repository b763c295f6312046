"""Extracts the features of an article that grouping needs."""
