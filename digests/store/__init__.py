"""The digests' tables: editions, deliveries, stories."""
