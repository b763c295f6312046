"""The fields of a log event, by name: `log.info("polled %s", fields(status="ok", feed=url))`."""

from __future__ import annotations

from datetime import UTC, datetime

from watcher.text.urls import hide_secrets

VALUE_CHARS = 500


class Fields(dict[str, object]):
    """What an event tells; as text it is logfmt."""

    def __str__(self) -> str:
        # Late: it loads rich, a tenth of a second that a command which logs nothing need not pay.
        from structlog.processors import LogfmtRenderer

        return LogfmtRenderer()(None, "", {key: text_of(value) for key, value in self.items()})


def fields(**values: object) -> Fields:
    """Return the fields of an event, without those that are None, nor what is secret in an address."""
    return Fields({name: hidden(value) for name, value in values.items() if value is not None})


def hidden(value: object) -> object:
    """Return a value without what is secret in an address."""
    return value if isinstance(value, bool | int | float | datetime) else hide_secrets(str(value))


def text_of(value: object) -> str:
    """Return a value as a line has it: bounded, a time to the second, without what would steer a terminal."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return inert(f"{value:.3g}" if isinstance(value, float) else str(value))[:VALUE_CHARS]


def inert(text: str) -> str:
    """Return text with "?" for what cannot be printed, such as control characters and overrides of direction."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
