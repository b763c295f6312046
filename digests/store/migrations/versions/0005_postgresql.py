"""Live on PostgreSQL: numbers that last there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.alter_column("story_changes", "id", type_=sa.BigInteger())
    op.execute("ALTER SEQUENCE story_changes_id_seq AS bigint")
