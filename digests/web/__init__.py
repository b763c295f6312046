"""What the digests bring to the site: editions, the archive, stories, articles, search."""
