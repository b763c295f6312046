"""The settings of alerts: `[alerts]`, for failures that last, and `[[digests.alerts]]`, for stories."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StrictInt, model_validator

from digests.settings.channels import AnyDeliverSettings, ChannelName, channel_models, cross_field_issues
from digests.settings.clock_times import QuietHours
from digests.settings.mail import Mailbox
from watcher.settings.base import SettingsModel, ValidationIssue, raw_rows
from watcher.settings.types import Duration, Phrases, quote_value, within
from watcher.text.format import did_you_mean

CORRECTIONS, FOLLOWED = "corrections", "followed"
ALERT_COUNTS = ("outlets", "countries")
COUNT_CONDITION = re.compile(r"(outlets|countries) *>= *([1-9]\d{0,2})")
TOO_SHORT = 'got less than "10m", expected "10m" or more: most errors pass within minutes'
# Keys of a delivery that [[alerts.deliver]] does not have.
DIGEST_KEYS = {
    "attach": "an alert has no book",
    "formats": "an alert has no format",
    "alerts": "here, each one sends alerts",
}


class AlertsSettings(SettingsModel):
    """Messages when polls, editions or deliveries fail for some time, and when they work again; off by default."""

    after: Annotated[Duration, within(TOO_SHORT, timedelta(minutes=10))] = Field(
        default=timedelta(hours=2), description="How long something must fail before an alert is sent."
    )
    sender: Mailbox | None = Field(default=None, alias="from", description="Sender of the mails.")
    deliver: tuple[AnyDeliverSettings, ...] = Field(
        default=(), description="Channels for alerts, set like those of a digest: `[[alerts.deliver]]`.", max_length=20
    )

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        """Yield the faults of [[alerts.deliver]] tables that the types alone do not show."""
        rows = data if isinstance(data, Mapping) else {}
        for fault in cross_field_issues(rows.get("deliver"), rows, document):
            yield replace(fault, loc=("deliver", *fault.loc))
        for n, row in raw_rows(rows.get("deliver")):
            for key, reason in DIGEST_KEYS.items():
                if key in row:
                    message = f"belongs to the deliveries of a digest: {reason}"
                    yield ValidationIssue(loc=("deliver", n, key), message=message, at_key=True)


def _check_when(value: str) -> str:
    """Return a condition in its usual spelling. Errors: ValueError."""
    text = value.strip().lower()
    if match := COUNT_CONDITION.fullmatch(text):
        return f"{match[1]} >= {match[2]}"
    if text in ("", CORRECTIONS, FOLLOWED):
        return text
    word = text.split()[0].partition(">")[0]
    meant = did_you_mean(word, (*ALERT_COUNTS, CORRECTIONS, FOLLOWED)) if word not in ALERT_COUNTS else ""
    expected = 'expected "outlets >= 5", "countries >= 3", "corrections" or "followed"'
    raise ValueError(f"got {quote_value(value)}, {expected}{meant}")


class StoryAlertSettings(SettingsModel):
    """Sends a message at once, between editions, for a story, for a correction, or for news of a followed story."""

    when: Annotated[str, AfterValidator(_check_when)] = Field(
        default="",
        description='"outlets >= 5" (independent outlets that report the story), "countries >= 3" (of its outlets),'
        ' "corrections" (changes to reports that an edition cites) or "followed" (news of a story that you follow); by'
        " default, `words` are enough.",
    )
    words: Phrases = Field(
        default=(), description='Words or phrases, one of which it must have; "elect*" matches "election" and so on.'
    )
    quiet: QuietHours = Field(
        default=None,
        description='Hours in which nothing is sent, in the digest\'s time zone: "22:00-07:00"; messages wait.',
    )
    most: Annotated[StrictInt, Field(ge=1, le=100)] = Field(default=5, description="Messages a day, at most.")
    channels: tuple[ChannelName, ...] = Field(
        default=(),
        description="Channels of `deliver` that send the messages; by default, all but `file`. A delivery with"
        " `alerts = false` sends none.",
    )

    @model_validator(mode="after")
    def check_anything(self) -> Self:
        if not (self.when or self.words):
            raise ValueError('got an alert without a condition, expected when = "outlets >= 5" or words')
        return self

    @property
    def label(self) -> str:
        """The condition in one line: "outlets >= 5, quake / storm"."""
        return ", ".join(filter(None, (self.when, " / ".join(self.words))))


def story_alert_issues(row: Mapping[str, object]) -> Iterator[ValidationIssue]:
    """Yield a fault for each alert of a raw digest that names a channel which the digest lacks, or that has none."""
    ways = {way.get("channel") for _, way in raw_rows(row.get("deliver")) if way.get("alerts") is not False}
    silent = {name for name, model in channel_models().items() if not model.sends_story_alerts}
    for n, rule in raw_rows(row.get("alerts")):
        wanted = rule.get("channels") or ()
        if isinstance(wanted, list | tuple) and not (ways.issuperset(wanted) if wanted else ways - silent):
            message = f"got an alert without a channel, expected {' and '.join(map(str, wanted)) or 'one'} in `deliver`"
            yield ValidationIssue(loc=(n, "channels") if wanted else (n,), message=message)
