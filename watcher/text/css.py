"""CSS selectors: converted to XPath, and those that match a given element."""

import re
from collections.abc import Iterator

from cssselect import HTMLTranslator, SelectorError
from lxml.etree import Element, XPath, XPathError, _Element

MAX_SELECTOR_CHARS = 300
CSS = HTMLTranslator()
CSS_NAME = re.compile(r"-?[A-Za-z_][\w-]{0,60}", re.ASCII)
UNSTABLE = re.compile(r"[.#][\w-]*\d")  # a name with a number is often that of one item, or of one version of the site


def xpath_of(selector: str) -> str:
    """Return a CSS selector as XPath from the root. Errors: ValueError that says what is wrong with the selector."""
    if not selector.strip():
        raise ValueError("is empty")
    if len(selector) > MAX_SELECTOR_CHARS:
        raise ValueError(f"is longer than {MAX_SELECTOR_CHARS} characters")
    try:
        path: str = CSS.css_to_xpath(selector)
        XPath(path)(Element("html"))  # some valid CSS, such as a name with a prefix, cannot be evaluated
    except (SelectorError, XPathError) as error:
        raise ValueError(f'"{selector}" cannot be read: {error}') from error
    return path


def selectors_of(element: _Element) -> Iterator[str]:
    """Yield selectors that match an element, by its tag, its classes and its parent; those with stable names first."""
    tag, parent = element.tag, element.getparent()
    names = [f"{tag}.{name}" for name in element.get("class", "").split()[:6]]
    if parent is not None:
        names += [f"{parent.tag}.{name} > {tag}" for name in parent.get("class", "").split()[:6]]
        names += [f"#{name} > {tag}" for name in parent.get("id", "").split()[:1]]
    parts = [*sorted(names, key=lambda name: UNSTABLE.search(name) is not None), tag]
    yield from (name for name in parts if all(map(CSS_NAME.fullmatch, re.split(r" > |[.]|#", name.lstrip("#")))))
