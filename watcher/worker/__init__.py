"""The shell: host visits, one feed, one page."""
