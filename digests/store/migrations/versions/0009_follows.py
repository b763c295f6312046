"""A table for the stories that the reader follows."""

import sqlalchemy as sa
from alembic import op

from watcher.store.schema import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "follows",
        sa.Column("story_id", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("story_id", name="pk_follows"),
    )
