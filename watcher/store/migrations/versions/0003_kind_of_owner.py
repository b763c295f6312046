"""Keep what kind of owner a source has, so that editions can say how their coverage differs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feeds", sa.Column("owner_kind", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("feeds", "owner_kind")
