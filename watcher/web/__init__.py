"""The local site: the web app, access control, the pages of the sources, and plug-ins for more pages."""
