"""From a page's HTML to the article in it."""
