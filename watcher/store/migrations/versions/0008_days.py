"""Say on which day an article came in; on PostgreSQL its text and features lie in the partition of that day."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

DAYED = ("articles", "texts", "features")
ORDINAL = "((fetched_at AT TIME ZONE 'UTC')::date - DATE '0001-01-01' + 1)"
PARTED = """
ALTER TABLE {name} RENAME TO {name}_before;
ALTER TABLE {name}_before RENAME CONSTRAINT pk_{name} TO pk_{name}_before;
CREATE TABLE {name} (LIKE {name}_before INCLUDING DEFAULTS, CONSTRAINT pk_{name} PRIMARY KEY (article_id, day))
    PARTITION BY RANGE (day);
CREATE TABLE {name}_rest PARTITION OF {name} DEFAULT;
INSERT INTO {name} SELECT * FROM {name}_before;
DROP TABLE {name}_before;
"""


def upgrade() -> None:
    for name in DAYED:
        op.add_column(name, sa.Column("day", sa.Integer(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name != "postgresql":
        return  # what is there stays at day 0, with all that belongs to it
    op.execute(f"UPDATE articles SET day = {ORDINAL}")
    for name in ("texts", "features"):
        op.execute(f"UPDATE {name} SET day = a.day FROM articles a WHERE a.id = {name}.article_id")
        for statement in PARTED.format(name=name).split(";")[:-1]:
            op.execute(statement)
    op.create_index(op.f("ix_features_version"), "features", ["version"])
    op.create_index(op.f("ix_features_vector_model"), "features", ["vector_model"])
