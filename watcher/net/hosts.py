"""What holds for a host as a whole."""

from __future__ import annotations

from datetime import timedelta

LONGEST_HOLD = timedelta(hours=72)  # that a Retry-After may ask for
