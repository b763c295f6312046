"""Keep the max-age of a feed's last answer: a 304 that says nothing of it renews it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feeds", sa.Column("max_age_s", sa.Float()))
