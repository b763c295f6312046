"""Runs the filter of `watcher clean --jsonl` without the command line around it, for score_pages.py."""

from __future__ import annotations

import asyncio
import sys

from watcher.cli.clean import clean_lines

if __name__ == "__main__":
    sys.exit(asyncio.run(clean_lines(sys.stdin, sys.stdout)))
