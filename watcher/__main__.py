"""The program `watcher`, also as `python -m watcher`. Kept small: a worker process imports its parent's main module."""

import os


def main() -> None:
    """Run the command line and exit with its code."""
    # Not the module `signal`, which loads others: an interrupt would be an error there.
    from _signal import SIGINT, default_int_handler, getsignal, signal  # type: ignore[import-not-found]

    if getsignal(SIGINT) is default_int_handler:  # else a shell has it ignored
        signal(SIGINT, _exit_interrupted)

    import gc

    gc.set_threshold(500_000, 20, 20)  # almost no object created at start-up is garbage; collecting takes a tenth of it
    from watcher.cli.main import main as run

    run()


def _exit_interrupted(signal_number: int, _frame: object) -> None:
    """
    Exit at once, while modules are loaded; before a command runs, `cli.main` goes back to KeyboardInterrupt.

    A KeyboardInterrupt that is raised while a class body, a weak reference or code of `exec` runs would come out as
    another error, or be printed only.
    """
    os._exit(128 + signal_number)  # the convention of shells


if __name__ == "__main__":
    main()
