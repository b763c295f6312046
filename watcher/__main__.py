"""
The program `watcher`, also as `python -m watcher`.

A worker process imports the module that its program began with: this one, which is light.
"""

from __future__ import annotations

INTERRUPTED = 130  # as in `cli.main`, which may not be loaded yet


def main() -> None:
    """Run the command line and leave with its exit code."""
    import gc

    gc.set_threshold(500_000, 20, 20)  # hardly anything of what a start makes is garbage; looking costs a tenth of it
    try:
        from watcher.cli.main import main as run

        run()
    except KeyboardInterrupt:  # while modules are loaded: later, the command line sees to it
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
