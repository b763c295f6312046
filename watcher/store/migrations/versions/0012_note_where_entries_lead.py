"""Note which article an entry's page led to, where redirects led to another one than its link names."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entries", sa.Column("led_to", sa.Text()))
