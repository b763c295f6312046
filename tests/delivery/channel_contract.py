"""What every channel keeps, whatever it sends by; a channel's test is a subclass that names the other side."""

from __future__ import annotations

import threading
import time
from typing import Protocol

import pytest

from digests.errors import DeliveryError
from digests.model.delivery import OutboundMessage
from digests.settings.channel import Channel
from tests.patience import PATIENCE_S

SECRET = "hunter2-is-the-secret"


class OtherSide(Protocol):
    """Where a channel sends to."""

    def open(self) -> Channel:
        """Return the channel, not connected yet."""

    def parcel(self) -> OutboundMessage: ...

    def received(self) -> list[bytes]:
        """Return what has arrived, as the forms' bodies."""

    def goes_away(self) -> None:
        """Be out of reach for now."""

    def refuses(self) -> None:
        """Refuse for good, and repeat whatever secret was shown."""

    def hangs(self) -> None:
        """Take what comes, and never answer."""


class ChannelContract:
    def test_a_parcel_arrives_byte_for_byte_after_its_brink_was_noted(self, other: OtherSide):
        noted: list[list[bytes]] = []
        channel, parcel = other.open(), other.parcel()

        said = channel.send(parcel, before_commit=lambda: noted.append(other.received()))
        channel.close()

        assert noted == [[]]
        assert other.received() == [form.body for form in parcel.forms]
        assert said and said.isprintable()

    def test_another_parcel_goes_by_the_same_channel(self, other: OtherSide):
        channel = other.open()

        for _ in range(2):
            channel.send(other.parcel(), before_commit=lambda: None)
        channel.close()

        assert len(other.received()) in (2, len(other.parcel().forms))

    def test_nothing_is_sent_if_the_brink_cannot_be_noted(self, other: OtherSide):
        def refuse() -> None:
            raise DeliveryError("x", "another process has taken it over")

        channel = other.open()
        with pytest.raises(DeliveryError, match="taken it over") as caught:
            channel.send(other.parcel(), before_commit=refuse)
        assert not caught.value.maybe_arrived
        assert other.received() == []

        channel.send(other.parcel(), before_commit=lambda: None)
        channel.close()
        assert other.received() == [form.body for form in other.parcel().forms]

    def test_who_cannot_be_reached_is_tried_again(self, other: OtherSide):
        other.goes_away()

        error = self.fault(other)

        assert (error.permanent, error.maybe_arrived) == (False, False)

    def test_who_refuses_for_good_is_not_and_no_secret_is_told(self, other: OtherSide):
        other.refuses()

        error = self.fault(other)

        assert (error.permanent, error.maybe_arrived) == (True, False)
        assert SECRET not in str(error) + (error.hint or "")
        assert str(error).isprintable()

    def test_what_hangs_can_be_broken_off_and_stays_so(self, other: OtherSide):
        other.hangs()
        channel = other.open()
        threading.Timer(0.3, channel.abort).start()
        started = time.monotonic()

        with pytest.raises(DeliveryError):
            channel.send(other.parcel(), before_commit=lambda: None)
            while not channel.is_aborted:  # what never hangs is done before it is broken off
                time.sleep(0.01)
            channel.send(other.parcel(), before_commit=lambda: None)
        with pytest.raises(DeliveryError):
            channel.send(other.parcel(), before_commit=lambda: None)
        channel.close()

        assert time.monotonic() - started < PATIENCE_S / 2

    def fault(self, other: OtherSide) -> DeliveryError:
        channel = other.open()
        with pytest.raises(DeliveryError) as caught:
            channel.send(other.parcel(), before_commit=lambda: None)
        channel.close()
        return caught.value
