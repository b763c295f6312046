"""Converts an edition to JSON and back; one edition always gives the same bytes, so they can be stored and compared."""

import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from digests.errors import DigestError
from digests.model.edition import Edition

FORMAT_VERSION = 1  # raised when a field changes its meaning or is removed; not for a new field with a default


def dump(edition: Edition) -> bytes:
    """Return `edition` as JSON in UTF-8: {"edition": …, "version": 1}, keys sorted, no spaces, a final line break."""
    value = {"edition": _adapter().dump_python(edition, mode="json", by_alias=True), "version": FORMAT_VERSION}
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return (text + "\n").encode("utf-8", "replace")  # half a surrogate pair is no character


def load(data: bytes) -> Edition:
    """Return the edition in `data`, as `dump` wrote it. Errors: DigestError, also for another version."""
    try:
        value: Any = json.loads(data)
    except ValueError as error:
        raise DigestError(f"not an edition: {error}") from error
    version = value.get("version") if isinstance(value, dict) else None
    if version != FORMAT_VERSION:
        raise DigestError(f"not an edition of version {FORMAT_VERSION}: version {version}")
    try:
        return _adapter().validate_json(json.dumps(value.get("edition")), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DigestError(f"not an edition: {place}: {first['msg']} ({error.error_count()} errors)") from error


@cache
def _adapter() -> TypeAdapter[Edition]:
    return TypeAdapter(Edition)
