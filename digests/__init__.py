"""Makes the digest of what came in."""
