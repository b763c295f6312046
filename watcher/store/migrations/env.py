"""Runs the migrations on the connection that `store.engine.upgrade` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table=context.config.attributes["version_table"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
