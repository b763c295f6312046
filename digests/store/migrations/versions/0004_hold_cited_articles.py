"""Hold the articles that kept editions cite: `verify` proves an edition as long as it is kept."""

import zlib

import sqlalchemy as sa
from alembic import op

from digests.store.editions import edition_of, hold_cited

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    kept = sa.text("SELECT slot, payload FROM editions WHERE made_at IS NOT NULL AND payload IS NOT NULL")
    for slot, payload in connection.execute(kept).all():
        try:
            edition = edition_of(payload)
        except (zlib.error, ValueError, TypeError, KeyError):
            continue  # it cannot be read, nor verified
        hold_cited(connection, edition, slot=slot)
