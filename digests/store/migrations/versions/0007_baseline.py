"""The tables of the digests in 0.1.0: the oldest that can be migrated. A new store is made from `store.schema`."""

revision = "0007"
down_revision = None
