"""Imported once, by the process that workers are forked from: they inherit what it holds. Nothing else imports it."""

import signal

import feedparser
import nh3
import trafilatura

import watcher.work.tasks

__all__ = ["feedparser", "nh3", "trafilatura", "watcher"]

# A signal to the whole group (Ctrl-C, systemd's stop) is for the owner, who ends its workers itself.
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
