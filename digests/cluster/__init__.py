"""Reports of one text, stories of one event."""
