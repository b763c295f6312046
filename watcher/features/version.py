"""The version of the features that are made here; another one has those of all stored articles made anew."""

FEATURES_VERSION = "3"
