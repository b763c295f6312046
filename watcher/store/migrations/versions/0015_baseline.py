"""
All tables of 0.1.0.

`store.engine.make_baseline` makes the tables of a new store from the SQL files beside this one, without Alembic: a
later migration changes these files too.
"""

revision = "0015"
down_revision = None
