"""Fold polls that brought nothing new: a line counts those before it, a feed those since its last line."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("feeds", "polls"):  # 0 by the server: a worker of the schema before writes on meanwhile
        op.add_column(name, sa.Column("quiet", sa.Integer(), nullable=False, server_default="0"))
