"""HTTP: one request with limits of time and size, redirects, robots.txt and allowed addresses."""
