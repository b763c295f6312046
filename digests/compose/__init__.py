"""From ranked stories to an edition."""

from digests.compose.edition import Shape, compose
from digests.compose.ledger import Intake

__all__ = ["Intake", "Shape", "compose"]
