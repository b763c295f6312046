"""Live on PostgreSQL: numbers that last there, and the words by which articles are found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NUMBERED = ("polls", "healths", "revisions")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for name in NUMBERED:
        op.alter_column(name, "id", type_=sa.BigInteger())
        op.execute(f"ALTER SEQUENCE {name}_id_seq AS bigint")
    op.create_table(
        "article_words",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_article_words_article_id_articles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_article_words")),
    )
    op.create_index(op.f("ix_article_words_published_at"), "article_words", ["published_at"])
    op.create_index(op.f("ix_article_words_words"), "article_words", ["words"], postgresql_using="gin")
