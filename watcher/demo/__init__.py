"""The demo publishers: invented outlets that serve invented news on loopback, with the true stories and reports."""
