"""What the digest keeps: editions."""
