"""A table for pages of articles as they were fetched."""

import sqlalchemy as sa
from alembic import op

from watcher.store.schema import UtcDateTime

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "page_records",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name="pk_page_records"),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_page_records_article_id_articles", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_page_records_at", "page_records", ["at"])
