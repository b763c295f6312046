"""The countries that a story is about, found in its texts by names in each article's language."""
