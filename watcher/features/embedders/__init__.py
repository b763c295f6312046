"""One file an embedder; the table beside the protocol is in `features/embed.py`."""
