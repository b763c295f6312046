"""An edition as Markdown, HTML page, mail and text."""
