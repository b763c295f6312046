"""One edition, from when it is due to its files and messages."""
