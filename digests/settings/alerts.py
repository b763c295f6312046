"""The settings of alerts: `[alerts]`, who is told when polls or editions fail for a while, and by which channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from pydantic import Field, field_validator

from digests.settings.delivery import DeliverSettings, Mailbox, cross_field_issues
from watcher.settings.base import SettingsModel, ValidationIssue
from watcher.settings.models import Settings
from watcher.settings.types import Duration

SHORTEST = timedelta(minutes=10)


class AlertsSettings(SettingsModel):
    """Who is told when polls, editions or deliveries fail for a while, and when they recover; nobody by default."""

    after: Duration = Field(default=timedelta(hours=2), description="How long something has to fail before it is told.")
    sender: Mailbox | None = Field(default=None, alias="from", description="Sender of a mail.")
    deliver: tuple[DeliverSettings, ...] = Field(
        default=(), description="Ways to tell it, as those of a digest: `[[alerts.deliver]]`.", max_length=20
    )

    @field_validator("after")
    @classmethod
    def check_after(cls, value: timedelta) -> timedelta:
        """Return the time if it is long enough for a fault to pass by itself."""
        if value < SHORTEST:
            raise ValueError('got less than "10m", expected at least that: most faults pass by themselves')
        return value

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """Yield what is wrong in the ways of delivery."""
        rows = data if isinstance(data, Mapping) else {}
        head = {"from": rows["from"]} if "from" in rows else {}
        for fault in cross_field_issues(rows.get("deliver"), head, document):
            yield replace(fault, loc=("deliver", *fault.loc))


def alerts_of(settings: Settings) -> AlertsSettings:
    """Return the settings of alerts; nobody is told where the file says nothing."""
    section = settings.section("alerts")
    return section if isinstance(section, AlertsSettings) else AlertsSettings()
