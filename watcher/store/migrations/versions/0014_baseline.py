"""All tables, as they were when the migrations before 0.1.0 were made one."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    script = Path(__file__).with_name(f"baseline.{connection.dialect.name}.sql").read_text(encoding="utf-8")
    for statement in script.split(";\n")[:-1]:
        connection.exec_driver_sql(statement)
