"""A column for whether the last body of a feed was cut off."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("feeds", sa.Column("is_cut", sa.Boolean(), nullable=False, server_default=sa.false()))
