"""Ways an edition reaches people."""
