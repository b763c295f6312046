"""
What the daemon and the process of its site say to each other, over a pair of sockets.

A message is a JSON object behind its length; `say` is its first field. Settings go to the site alone, pickled: what
comes from the process that strangers talk to is never unpickled.

    daemon → site   settings {settings, form_token, level, form}   answer {id, status, body, kind}   ping
    site → daemon   serving   pong   ask {id, path}   settings_changed
"""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
import struct
from collections.abc import Mapping
from typing import Any

from watcher.settings.load import settings_model
from watcher.settings.model import Settings

LENGTH = struct.Struct("!I")
Message = Mapping[str, Any]


class Link:
    """
    One end. What is said is in order; nobody waits for the other end to hear it.

    Args:
        most_bytes: Of a message of the other end.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, most_bytes: int) -> None:
        self._reader = reader
        self._writer = writer
        self._most_bytes = most_bytes

    def say(self, word: str, **fields: object) -> None:
        """Send a message; one to an end that has gone is lost."""
        data = json.dumps({"say": word, **fields}).encode()
        if not self._writer.is_closing():
            self._writer.write(LENGTH.pack(len(data)) + data)

    async def heard(self) -> Message | None:
        """Return the next message, None if the other end has gone, or says what cannot be heard."""
        try:
            (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
            found = json.loads(await self._reader.readexactly(length)) if length <= self._most_bytes else None
        except (OSError, EOFError, ValueError):
            return None
        return found if isinstance(found, dict) and isinstance(found.get("say"), str) else None

    def close(self) -> None:
        """Close it: the other end notices."""
        self._writer.close()


def dumped(settings: Settings) -> str:
    """Return settings as text for `loaded`; no secret is in it, only where each is found."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return base64.b64encode(pickle.dumps((settings.path, settings.model_fields_set, values))).decode()


def loaded(text: str) -> Settings:
    """Return the settings that `dumped` was given."""
    path, named, values = pickle.loads(base64.b64decode(text))
    settings = settings_model().model_construct(named, **values)
    settings._path = path
    return settings
