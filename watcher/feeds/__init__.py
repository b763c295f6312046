"""From a feed's bytes to entries, changes and the time of the next poll."""
