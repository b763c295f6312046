"""Extracts the article from the HTML of a page."""
