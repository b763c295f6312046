"""Regular expressions whose search takes time proportional to the text: those of Rust, which pydantic uses."""

import re
from functools import lru_cache
from typing import TypeAlias

from pydantic_core import SchemaError, SchemaValidator, core_schema

LinearRegex: TypeAlias = SchemaValidator  # a compiled expression, for `is_found`
IGNORE_CASE = "(?i)"
# The engine compiles expressions of up to 10 MiB. Twenty copies of one must fit, so it takes at most 512 KiB: then the
# slowest search of 800 characters that we found took 50 ms. Counts such as "{1,1000}" make an expression large.
EXPRESSION_COPIES = 20
TOO_LARGE = "it is too large: use smaller numbers in braces, or fewer of them"
POINTER = re.compile(r"^ {4}( *)\^+$", re.MULTILINE)  # below the expression, in the engine's message


@lru_cache(maxsize=512)
def compile_linear(expression: str) -> LinearRegex:
    """Return `expression` compiled without regard to case. Errors: ValueError with what is wrong, and the column."""
    if len(expression.splitlines()) > 1:
        raise ValueError(r"it has a line break; write it as \n")
    try:
        compiled = _compile(expression)
    except SchemaError as error:
        raise ValueError(_describe_error(str(error))) from None
    try:
        _compile(f"(?:{expression}\n){{{EXPRESSION_COPIES}}}")  # the line break ends a comment of the expression
    except SchemaError:
        raise ValueError(TOO_LARGE) from None
    if is_found(compiled, ""):
        raise ValueError("it matches every text")
    return compiled


def _compile(expression: str) -> LinearRegex:
    return SchemaValidator(core_schema.str_schema(pattern=IGNORE_CASE + expression, regex_engine="rust-regex"))


def _describe_error(message: str) -> str:
    """Return what the engine's message says about an expression: "unclosed group at column 7"."""
    _, is_syntax, words = message.rpartition("\nerror: ")
    if not is_syntax:
        return TOO_LARGE
    pointer = POINTER.search(message)
    return f"{words.strip()} at column {len(pointer.group(1)) - len(IGNORE_CASE) + 1}" if pointer else words.strip()


def is_found(compiled: LinearRegex, text: str) -> bool:
    """Whether `text` has a match of an expression compiled by `compile_linear`."""
    return compiled.isinstance_python(text)
