"""Typed models of the settings, and a loader that reports all faults at once."""
