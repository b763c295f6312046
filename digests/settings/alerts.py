"""The settings of alerts: `[alerts]`, who is told when polls or editions fail for a while, and by which channels."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from digests.settings.delivery import DeliverSettings, Mailbox, cross_field_issues, within
from watcher.settings.base import SettingsModel, ValidationIssue, raw_rows
from watcher.settings.models import Settings
from watcher.settings.types import Duration

TOO_SHORT = 'got less than "10m", expected "10m" or more: most errors pass within minutes'


class AlertsSettings(SettingsModel):
    """Messages when polls, editions or deliveries fail for some time, and when they work again; off by default."""

    after: Annotated[Duration, within(TOO_SHORT, timedelta(minutes=10))] = Field(
        default=timedelta(hours=2), description="How long something must fail before an alert is sent."
    )
    sender: Mailbox | None = Field(default=None, alias="from", description="Sender of the mails.")
    deliver: tuple[DeliverSettings, ...] = Field(
        default=(), description="Channels for alerts, set like those of a digest: `[[alerts.deliver]]`.", max_length=20
    )

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        rows = data if isinstance(data, Mapping) else {}
        for fault in cross_field_issues(rows.get("deliver"), rows, document):
            yield replace(fault, loc=("deliver", *fault.loc))
        for n, row in raw_rows(rows.get("deliver")):
            if "attach" in row:
                message = "belongs to the deliveries of a digest: an alert has no book"
                yield ValidationIssue(loc=("deliver", n, "attach"), message=message, at_key=True)


def alerts_of(settings: Settings) -> AlertsSettings:
    section = getattr(settings, "alerts", None)
    assert isinstance(section, AlertsSettings)
    return section
