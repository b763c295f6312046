"""Columns for the site that a feed names as its own, and for the source by way of which an article came."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("feeds", sa.Column("site", sa.Text()))
    op.add_column("articles", sa.Column("via", sa.Text()))
