"""Rules of single sites, as TOML data: one file a site, each with its reason; no page needs them to be cleaned."""
