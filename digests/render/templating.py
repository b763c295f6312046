"""Jinja environments over the templates of this package: one per way of escaping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


class AsIs(str):
    """Text that is already escaped for the form it goes into."""

    __slots__ = ()


def environment(
    *, autoescape: bool, escape: Callable[[str], str] | None = None, filters: Mapping[str, Callable[..., Any]]
) -> Environment:
    """
    Return an environment whose expressions are all escaped: by Jinja's own means for HTML, else by `escape`.

    A filter that returns `AsIs` has escaped by itself. A name that is missing is an error, not an empty string.
    """

    def finalize(value: object) -> object:
        return value if escape is None or isinstance(value, AsIs) else escape(str(value))

    env = Environment(
        loader=PackageLoader("digests.render"),
        autoescape=autoescape,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters.update(filters)
    return env
