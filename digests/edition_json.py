"""An edition as JSON and back: one spelling for one edition, so that its bytes can be kept and compared."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from digests.errors import DigestError
from digests.model import Edition

if TYPE_CHECKING:
    from pydantic import TypeAdapter

VERSION = (
    1  # of the form; raised when a field changes its meaning or goes. A new field with a default needs no new version.
)


def dump(edition: Edition) -> bytes:
    """
    Return `edition` as JSON in UTF-8: {"edition": …, "version": 1}, keys sorted, no spaces, a line break at the end.
    """
    value = {"edition": _adapter().dump_python(edition, mode="json"), "version": VERSION}
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return (text + "\n").encode("utf-8", "replace")  # half a surrogate pair is no character


def load(data: bytes) -> Edition:
    """Return the edition in `data`, made by `dump`; `DigestError` if it is none or of a newer version."""
    from pydantic import ValidationError

    try:
        value: Any = json.loads(data)
    except ValueError as error:
        raise DigestError(f"not an edition: {error}") from error
    version = value.get("version") if isinstance(value, dict) else None
    if version != VERSION:
        raise DigestError(f"not an edition of version {VERSION}: version {version}")
    try:
        return _adapter().validate_json(json.dumps(value.get("edition")), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DigestError(f"not an edition: {place}: {first['msg']} ({error.error_count()} faults)") from error


@cache
def _adapter() -> TypeAdapter[Edition]:
    """Return the reader and writer; pydantic is only loaded when it is needed."""
    from pydantic import TypeAdapter

    return TypeAdapter(Edition)
