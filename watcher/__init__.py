"""Polls feeds, fetches and cleans their articles, and stores them."""
