"""CSS selectors, as far as rules of a site need them, as XPath."""

from __future__ import annotations

import re

LONGEST = 300  # characters of a selector
_NAME = r"-?[A-Za-z_][\w-]*"
_STEP = re.compile(
    rf"(?P<tag>\*|{_NAME})?(?P<rest>(?:[.#]{_NAME}|\[\s*{_NAME}\s*(?:[~^$*|]?=\s*(?:\"[^\"\]]*\"|'[^'\]]*'|[\w-]+))?\s*\])*)"
)
_PART = re.compile(
    rf"\.(?P<class>{_NAME})|#(?P<id>{_NAME})"
    rf"|\[\s*(?P<name>{_NAME})\s*(?:(?P<how>[~^$*|]?=)\s*(?:\"(?P<double>[^\"\]]*)\"|'(?P<single>[^'\]]*)'|(?P<bare>[\w-]+)))?\s*\]"
)
_BETWEEN = re.compile(r"\s*>\s*|\s+")


def xpath_of(selector: str) -> str:
    """
    Return the XPath, for a search below the root, of what a CSS selector matches.

    Known are tag, *, .class, #id, [name], [name=value] with = ~= ^= $= *=, descendants, children (>) and a list with
    commas. Errors: ValueError, with the part that is not known.
    """
    if not selector.strip():
        raise ValueError("is empty")
    if len(selector) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    return " | ".join(_path(part.strip()) for part in selector.split(","))


def _path(selector: str) -> str:
    at, path, axis = 0, "", "//"
    while True:
        step = _STEP.match(selector, at)
        if step is None or not step.group():
            raise ValueError(f'"{selector[at:][:20] or selector}" is no selector that is known')
        path += axis + (step["tag"] or "*") + "".join(_condition(part) for part in _PART.finditer(step["rest"]))
        at = step.end()
        if at == len(selector):
            return path
        between = _BETWEEN.match(selector, at)
        if between is None:
            raise ValueError(f'"{selector[at:][:20]}" is no selector that is known')
        axis = "/" if ">" in between.group() else "//"
        at = between.end()


def _condition(part: re.Match[str]) -> str:
    if part["class"]:
        return f"[contains(concat(' ', normalize-space(@class), ' '), ' {part['class']} ')]"
    if part["id"]:
        return f"[@id='{part['id']}']"
    name, value = part["name"].lower(), part["double"] or part["single"] or part["bare"] or ""
    quoted = f'"{value}"' if "'" in value else f"'{value}'"
    match part["how"]:
        case None:
            return f"[@{name}]"
        case "=":
            return f"[@{name}={quoted}]"
        case "~=":
            return f"[contains(concat(' ', normalize-space(@{name}), ' '), concat(' ', {quoted}, ' '))]"
        case "^=":
            return f"[starts-with(@{name}, {quoted})]"
        case "$=":
            return f"[substring(@{name}, string-length(@{name}) - string-length({quoted}) + 1) = {quoted}]"
        case "*=":
            return f"[contains(@{name}, {quoted})]"
        case _:
            raise ValueError(f'"{part.group()}" is no selector that is known')
