"""Stories as they are stored: those of a window, their history, corrections by hand."""
