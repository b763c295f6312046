"""How long tests wait for what soon happens: a machine that is busy with something else makes no test wrong."""

PATIENCE_S = 120.0
