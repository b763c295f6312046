"""Settings of digests, of their delivery, and of alerts."""
