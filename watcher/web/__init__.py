"""The local site: the app that answers, its guard, the pages of the sources, and the door for other packages' pages."""
