"""Hold articles: those that a kept edition cites are not removed when they are old."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", "holder", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_holder"), "holds", ["holder"])
