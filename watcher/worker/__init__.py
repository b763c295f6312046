"""The worker: visits hosts, polls feeds and fetches pages, and runs backfill and retention."""
