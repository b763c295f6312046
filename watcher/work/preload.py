"""Imported once, by the process that workers are forked from: they inherit what it holds. Nothing else imports it."""

import feedparser
import nh3
import trafilatura

import watcher.work.tasks

__all__ = ["feedparser", "nh3", "trafilatura", "watcher"]
