"""Rendered forms, and the messages with them to recipients."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """An edition or an alert in one form. `name` is the file's name: "2024-05-28.md"."""

    format: str  # markdown, html, text, eml, json, atom, epub; of a webhook its service: ntfy, slack, discord, apprise
    name: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """The forms of an edition or an alert that one recipient gets by one channel."""

    channel: str  # its name in the settings
    recipient: str  # a mail address, a folder, or a name for a URL: never a secret
    forms: tuple[Rendered, ...]
