"""Find the articles whose features are of another version without reading all features."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_features_version"), "features", ["version"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_features_version"), table_name="features")
