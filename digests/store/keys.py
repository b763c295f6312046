"""What identifies an edition, an alert on a story and an alert on a failure, in the store and in the outbox."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

# They stand for the digest of an alert on a failure, and of what is sent on: no digest has such a name.
ALERTS, SEND = "[alerts]", "[send]"


class SlotKind(StrEnum):
    """Why there is an edition. Its values are written to the store."""

    DAILY = "daily"  # the first scheduled edition of its date
    SCHEDULED = "scheduled"  # a further scheduled edition of its date
    REQUESTED = "requested"
    DEMO = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """
    Distinguishes the editions of one date.

    `time` is the time of day on the schedule, to the minute, or that of the request; None for the other kinds.
    """

    kind: SlotKind
    time: dt.time | None = None

    @property
    def is_scheduled(self) -> bool:
        return self.kind in (SlotKind.DAILY, SlotKind.SCHEDULED)

    @property
    def label(self) -> str:
        """What people see of it after the date: "17:00" of a schedule, "15:00:00" of a request; "" for the first."""
        match self.kind:
            case SlotKind.DAILY:
                return ""
            case SlotKind.SCHEDULED:
                return f"{self.time:%H:%M}"
            case SlotKind.REQUESTED:
                return f"{self.time:%H:%M:%S}"
            case SlotKind.DEMO:
                return "demo"

    def __str__(self) -> str:
        """Return it as the store, the log and `--json` have it: "daily", "daily 17:00", "15:00:00.123456"."""
        match self.kind:
            case SlotKind.SCHEDULED:
                return f"daily {self.time:%H:%M}"
            case SlotKind.REQUESTED:
                return f"{self.time:%H:%M:%S.%f}"
            case SlotKind.DAILY | SlotKind.DEMO:
                return self.kind.value


DAILY = Slot(kind=SlotKind.DAILY)


def parse_slot(text: str) -> Slot:
    """Return the slot that `str(slot)` wrote. Errors: ValueError."""
    if text in (SlotKind.DAILY, SlotKind.DEMO):
        return Slot(kind=SlotKind(text))
    prefix, _, at = text.rpartition(" ")
    kinds = {"": SlotKind.REQUESTED, "daily": SlotKind.SCHEDULED}
    try:
        return Slot(kind=kinds[prefix], time=dt.time.fromisoformat(at))
    except (KeyError, ValueError) as error:
        raise ValueError(f"not the slot of an edition: {text!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionKey:
    """Identifies an edition by digest, date and slot."""

    digest: str
    local_date: dt.date
    slot: Slot = DAILY

    @property
    def suffix(self) -> str:
        """What follows the date in the address of this edition: "-1700", "-150000"; "" for the daily one."""
        return f"-{self.slot.label.replace(':', '')}" if self.slot.label else ""

    @property
    def label(self) -> str:
        """The date, and the time of day if the edition is not the daily one: "2026-11-24", "2026-11-24, 15:00:00"."""
        return f"{self.local_date}, {self.slot.label}" if self.slot.label else f"{self.local_date}"

    @property
    def slot_name(self) -> str:
        """What distinguishes it from others of its digest and date, as the log and `--json` have it."""
        return str(self.slot)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryAlertKey:
    """Identifies an alert on a story or a correction: `about` names it, `rule` is a hash of the rule that it met."""

    digest: str
    local_date: dt.date
    about: str
    rule: str

    @property
    def label(self) -> str:
        return f"{self.local_date}, an alert {self.about}"

    @property
    def slot_name(self) -> str:
        """As `EditionKey.slot_name`: "an alert s1f2e3d4c5b 0c1d2e3f"."""
        return f"an alert {self.about} {self.rule}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureAlertKey:
    """Identifies an alert on a failure since `failure_at`, or with `is_over` one on its end at `failure_at`."""

    digest: ClassVar[str] = ALERTS
    failure: str  # its name, such as "polling"
    failure_at: dt.datetime  # to the second
    is_over: bool

    @property
    def local_date(self) -> dt.date:
        return self.failure_at.date()

    @property
    def label(self) -> str:
        return f"{self.local_date}, alert {self.failure}"

    @property
    def slot_name(self) -> str:
        """As `EditionKey.slot_name`: "alert polling.20261124T063000"."""
        return f"{'over' if self.is_over else 'alert'} {self.failure}.{self.failure_at:%Y%m%dT%H%M%S}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentItemKey:
    """Identifies a story or an article that is sent on: "story s1f2e3d4c5b". `local_date`: of the request, in UTC."""

    digest: ClassVar[str] = SEND
    local_date: dt.date
    item: str

    @property
    def label(self) -> str:
        return f"{self.local_date}, {self.item}"

    @property
    def slot_name(self) -> str:
        return self.item


DeliveryKey = EditionKey | StoryAlertKey | FailureAlertKey | SentItemKey
