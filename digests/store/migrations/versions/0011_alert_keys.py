"""Columns for the keys of alerts, which were words of the slot: "an alert s1f2 0c1d2e3f"."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from watcher.store.schema import UtcDateTime

revision = "0011"
down_revision = "0010"

deliveries = sa.table(
    "deliveries",
    *(sa.column(name, sa.Text()) for name in ("digest", "slot", "about", "rule", "failure")),
    sa.column("id", sa.Integer()),
    sa.column("failure_at", UtcDateTime()),
    sa.column("is_over", sa.Boolean()),
)


def upgrade() -> None:
    with op.batch_alter_table("deliveries") as batch:
        batch.alter_column("slot", existing_type=sa.Text(), nullable=True)
        for name in ("about", "rule", "failure"):
            batch.add_column(sa.Column(name, sa.Text(), nullable=True))
        batch.add_column(sa.Column("failure_at", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("is_over", sa.Boolean(), nullable=True))
        for columns in (("digest", "local_date", "about", "rule"), ("failure", "failure_at", "is_over")):
            names = [*columns, "channel", "recipient"]
            batch.create_unique_constraint(f"uq_deliveries_{'_'.join(names)}", names)
    c = deliveries.c
    connection = op.get_bind()
    is_alert = sa.or_(c.digest == "[alerts]", c.slot.startswith("an alert "))
    for key, digest, slot in connection.execute(sa.select(c.id, c.digest, c.slot).where(is_alert)).all():
        connection.execute(sa.update(deliveries).where(c.id == key).values(slot=None, **_alert_values(digest, slot)))


def _alert_values(digest: str, slot: str) -> dict[str, object]:
    """Return the columns of the key of an alert that an older version wrote into the slot."""
    if digest != "[alerts]":
        about, rule = slot.removeprefix("an alert ").rsplit(" ", 1)
        return {"about": about, "rule": rule}
    kind, _, rest = slot.partition(" ")
    name, _, at = rest.rpartition(".")
    failure_at = datetime.strptime(at, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return {"failure": name, "failure_at": failure_at, "is_over": kind == "over"}
