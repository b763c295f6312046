"""A moment as people give it to an option: "2d" (ago), a date, a date with a time."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from typer import BadParameter

from watcher.settings.values import parse_duration


def moment_of(text: str | None, *, option: str, now: datetime, zone: tzinfo = UTC) -> datetime | None:
    """
    Return the moment that an option means, None if it was not given. Errors: BadParameter.

    Args:
        option: Its name, for the error.
        zone: Of a date or time that names none.
    """
    if text is None:
        return None
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        expected = 'a duration such as "2d", or a date such as 2026-11-24 or 2026-11-24T06:30'
        raise BadParameter(f"got {text!r}, expected {expected}", param_hint=option) from error
