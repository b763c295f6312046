"""The settings of alerts: `[alerts]`, who is told when polls or editions fail for a while, and by which channels."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from digests.settings.delivery import DeliverSettings, Mailbox, cross_field_issues, within
from watcher.settings.base import SettingsModel, ValidationIssue
from watcher.settings.models import Settings
from watcher.settings.types import Duration

TOO_SHORT = 'got less than "10m", expected at least that: most faults pass by themselves'


class AlertsSettings(SettingsModel):
    """Who is told when polls, editions or deliveries fail for a while, and when they recover; nobody by default."""

    after: Annotated[Duration, within(TOO_SHORT, timedelta(minutes=10))] = Field(
        default=timedelta(hours=2), description="How long something has to fail before it is told."
    )
    sender: Mailbox | None = Field(default=None, alias="from", description="Sender of a mail.")
    deliver: tuple[DeliverSettings, ...] = Field(
        default=(), description="Ways to tell it, as those of a digest: `[[alerts.deliver]]`.", max_length=20
    )

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        rows = data if isinstance(data, Mapping) else {}
        for fault in cross_field_issues(rows.get("deliver"), rows, document):
            yield replace(fault, loc=("deliver", *fault.loc))


def alerts_of(settings: Settings) -> AlertsSettings:
    section = getattr(settings, "alerts", None)
    assert isinstance(section, AlertsSettings)
    return section
