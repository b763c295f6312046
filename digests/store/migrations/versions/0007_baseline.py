"""All tables of the digests in 0.1.0, made as the watcher's baseline is."""

revision = "0007"
down_revision = None
