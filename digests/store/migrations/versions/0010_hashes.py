"""A column for the hashes of an edition and of its files, so that `watcher verify` knows what was made."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("editions", sa.Column("hashes", sa.JSON(), nullable=True))
