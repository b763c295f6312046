"""All tables of the digests in 0.1.0, created like the watcher's baseline."""

revision = "0007"
down_revision = None
