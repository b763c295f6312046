"""Demo publishers: invented outlets that serve invented news on loopback, labelled with the true stories."""
