"""From ranked stories to an edition."""

from digests.compose.edition import Intake, Shape, compose

__all__ = ["Intake", "Shape", "compose"]
