"""All tables of 0.1.0. `store.engine.make_baseline` makes them from the SQL files beside this one, without Alembic."""

revision = "0015"
down_revision = None
