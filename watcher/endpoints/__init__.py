"""Clients for OpenAI-compatible endpoints: a language model, and an embedder."""
