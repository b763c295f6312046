"""Titles in many languages, by language."""

import tomllib
from pathlib import Path

TITLES: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("titles.toml").read_text("utf-8"))
