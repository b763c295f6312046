"""What a story's reports say, compared: outlets, numbers, places, perspectives, corrections. Pure."""
