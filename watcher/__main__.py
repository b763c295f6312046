"""The program `watcher`, also as `python -m watcher`. Kept small: a worker process imports its parent's main module."""

INTERRUPTED = 130  # as in `cli.main`, which may not be loaded yet


def main() -> None:
    """Run the command line and exit with its code."""
    import gc

    gc.set_threshold(500_000, 20, 20)  # almost no object created at start-up is garbage; collecting takes a tenth of it
    try:
        from watcher.cli.main import main as run

        run()
    except KeyboardInterrupt:  # raised while modules are loaded: later, `cli.main` handles it
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
