"""A message where something has failed for long, and one where it works again."""
