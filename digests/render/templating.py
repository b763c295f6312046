"""Jinja environments for our templates and a reader's own, one for each way of escaping."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from traceback import extract_tb
from typing import Any

from jinja2 import ChoiceLoader, Environment, FunctionLoader, PackageLoader, StrictUndefined, TemplateError
from jinja2.exceptions import TemplateSyntaxError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing

from digests.errors import DigestError
from watcher.text.format import did_you_mean

# Templates that a reader's folder may replace; files that begin with "_" are includes of their own.
TEMPLATE_NAMES = (
    *("edition.md.j2", "edition.txt.j2", "page.html.j2", "page.css", "mail.html.j2", "macros.html.j2"),
    "feed.atom.j2",
)
# Errors that an expression in a template can raise.
TEMPLATE_ERRORS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


class UnknownValue(StrictUndefined):
    """A name that no value has: an error, which names the most similar one and none of our classes."""

    @property
    def _undefined_message(self) -> str:
        """Return what is missing, in words for the author of the template."""
        name = self._undefined_name
        if self._undefined_hint or self._undefined_obj is missing:
            return self._undefined_hint or f"there is no value {name!r}"
        if not isinstance(name, str):
            return f"this value has no element {name}"
        parts = [part for part in dir(self._undefined_obj) if not part.startswith("_")]
        return f"this value has no part {name!r}{did_you_mean(name, parts)}"


class SafeText(str):
    """Text that is already escaped for its format."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTemplate:
    name: str
    path: str  # for messages
    source: str


OwnTemplates = tuple[OwnTemplate, ...]  # a reader's templates; empty if there are none


def environment(
    *,
    autoescape: bool,
    escape: Callable[[str], str] | None = None,
    filters: Mapping[str, Callable[..., Any]] | None = None,
    own_templates: OwnTemplates,
) -> Environment:
    """
    Return an environment that escapes every expression: with Jinja's autoescape for HTML, else with `escape`.

    Filters that return `SafeText` have escaped it already. An undefined name is an error, not an empty string. A
    reader's own templates run in a sandbox: they only reach the values that they are given.
    """

    def finalize(value: object) -> object:
        return value if escape is None or isinstance(value, SafeText) else escape(str(value))

    by_name = {template.name: (template.source, template.path, None) for template in own_templates}
    env = (SandboxedEnvironment if own_templates else Environment)(
        loader=ChoiceLoader([FunctionLoader(by_name.get), PackageLoader("digests.render")]),
        autoescape=autoescape,
        finalize=finalize,
        undefined=UnknownValue,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters.update(filters or {})
    return env


@lru_cache(maxsize=8)
def html_templates(own_templates: OwnTemplates) -> Environment:
    return environment(autoescape=True, own_templates=own_templates)


def render_template(env: Environment, name: str, own_templates: OwnTemplates, values: Mapping[str, object]) -> str:
    """Return a template rendered with `values`. Errors: DigestError, with file and line, if own templates are used."""
    try:
        return env.get_template(name).render(values)
    except TEMPLATE_ERRORS as error:
        if not own_templates:
            raise
        hint = "docs/guides/templates.md lists the values" if isinstance(error, UndefinedError) else None
        raise DigestError(f"{_place(error, own_templates)}: {error}", hint=hint) from error


def _place(error: BaseException, own_templates: OwnTemplates) -> str:
    """Return file and line of a user's template in which an error arose."""
    if isinstance(error, TemplateSyntaxError):
        path = next((template.path for template in own_templates if template.name == error.name), error.filename or "")
        return f"{path}:{error.lineno}"
    paths = {template.path for template in own_templates}
    places = [f"{each.filename}:{each.lineno}" for each in extract_tb(error.__traceback__) if each.filename in paths]
    return places[-1] if places else str(PurePath(own_templates[0].path).parent)
