"""Stories over days: ids that last, what became of them, and readers' corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "stories",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("first_at", at, nullable=False),
        sa.Column("last_at", at, nullable=False),
        sa.Column("began_at", at, nullable=False),
        sa.Column("was", sa.JSON(), nullable=False),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("profile", sa.LargeBinary(), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("vector_model", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stories")),
    )
    op.create_index(op.f("ix_stories_thread"), "stories", ["thread"])
    op.create_index(op.f("ix_stories_last_at"), "stories", ["last_at"])
    op.create_table(
        "story_articles",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("story_id", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("nearest", sa.Text(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_story_articles")),
    )
    op.create_index(op.f("ix_story_articles_story_id"), "story_articles", ["story_id"])
    op.create_table(
        "story_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", at, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("story_id", sa.Text(), nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("articles", sa.JSON(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_changes")),
    )
    op.create_index(op.f("ix_story_changes_story_id"), "story_changes", ["story_id"])
    op.create_index(op.f("ix_story_changes_other_id"), "story_changes", ["other_id"])
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", at, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("articles", sa.JSON(), nullable=False),
        sa.Column("others", sa.JSON(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("forgotten_at", at, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_table(
        "grouped",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("until", at, nullable=True),
        sa.Column("made_at", at, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grouped")),
    )
    op.execute("INSERT INTO grouped (id, step) VALUES (1, 0)")
