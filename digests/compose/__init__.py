"""From ranked stories to an edition."""
