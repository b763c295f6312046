"""A column for the key of a story or an article that is sent on to another service."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    with op.batch_alter_table("deliveries") as batch:
        batch.add_column(sa.Column("item", sa.Text(), nullable=True))
        columns = ["item", "channel", "recipient"]
        batch.create_unique_constraint(f"uq_deliveries_{'_'.join(columns)}", columns)
