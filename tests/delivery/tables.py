"""A table `deliver` of the settings from its values."""

from __future__ import annotations

from pathlib import Path

from digests.settings.channel import DeliverSettings
from digests.settings.channels import channel_models


def deliver_table(given: dict[str, object]) -> DeliverSettings:
    return channel_models()[str(given["channel"])].model_validate(given, context={"folder": Path("/nowhere")})
