"""Compares the reports of a story: outlets, numbers, places, perspectives, corrections. Pure."""
