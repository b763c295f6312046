"""Keep of robots.txt the rules of our own group, packed: whole bodies of up to 4 MB a host filled disks."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was kept is asked for again: it may be what stops a daemon that reads it.
    op.execute(sa.text("UPDATE hosts SET robots_at = NULL, robots_status = NULL, robots_body = NULL"))
    op.execute(sa.text("ALTER TABLE hosts RENAME COLUMN robots_body TO robots_rules"))
