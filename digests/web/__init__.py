"""The digests' pages on the web site: editions, the archive, stories, articles, search."""
