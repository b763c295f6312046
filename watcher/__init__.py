"""Gets the news in: polls feeds, fetches and cleans articles, keeps them."""
