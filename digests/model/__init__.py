"""The values that the packages of `digests` exchange: stories, editions, ledgers, rendered forms and messages."""
