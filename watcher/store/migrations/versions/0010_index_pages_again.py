"""Index the pages that are looked at again: few of many, and `watcher poll --all` asks for all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_pages_again", "pages", ["article_id"], sqlite_where=sa.text("again = 1"), postgresql_where=sa.text("again")
    )
