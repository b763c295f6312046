"""The data of a package that is TOML beside its modules: lists of words, names and patterns."""

import tomllib
from importlib.resources import files
from typing import Any


def load_toml(package: str, name: str) -> dict[str, Any]:
    """Return the content of a TOML file in a package."""
    return tomllib.loads((files(package) / name).read_text("utf-8"))
