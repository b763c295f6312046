"""Stories as stored: those of a window, their history, and user corrections."""
