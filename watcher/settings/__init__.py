"""The settings as typed models, and the loader that reports every fault at once."""
