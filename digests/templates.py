"""A reader's own templates: read from a folder beside the settings."""

from __future__ import annotations

from pathlib import Path

from digests.errors import DigestError
from digests.render.templating import NAMES, Own, OwnTemplate
from watcher.settings.values import hint

MAX_BYTES = 256 * 1024  # of a template


def own_templates(folder: Path | None) -> Own:
    """
    Return the templates in `folder`, by name; none where there is no folder in the settings.

    Raises:
        DigestError: If the folder or a file cannot be read, or a file has the name of no template.
    """
    if folder is None:
        return ()
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        return tuple(_template(path) for path in paths)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DigestError(f"templates: {folder}: {reason}") from error


def _template(path: Path) -> OwnTemplate:
    name = path.name
    if name not in NAMES and not name.startswith("_"):
        expected = f'expected one of {", ".join(NAMES)}, or a piece of your own that begins with "_"'
        raise DigestError(f"{path}: no template of this name, {expected}{hint(name, NAMES)}")
    if path.stat().st_size > MAX_BYTES:
        raise DigestError(f"{path}: larger than {MAX_BYTES // 1024} KiB")
    return OwnTemplate(name=name, path=str(path), source=path.read_text("utf-8"))
