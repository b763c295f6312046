"""Search articles: which of them the full-text index holds. Those that are there are put in by and by."""

import sqlalchemy as sa
from alembic import op

from watcher.store.fts5 import create_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "searchable",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_searchable_article_id_articles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_searchable")),
        sa.UniqueConstraint("article_id", name=op.f("uq_searchable_article_id")),
    )
    if op.get_bind().dialect.name == "sqlite":
        create_index(op.get_bind())
