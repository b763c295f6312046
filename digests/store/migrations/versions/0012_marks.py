"""A table for the stories and articles that the reader keeps."""

import sqlalchemy as sa
from alembic import op

from watcher.store.schema import JsonTuple, UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.Column("tags", JsonTuple(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_marks"),
    )
