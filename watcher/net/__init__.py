"""One bounded, polite HTTP request."""
