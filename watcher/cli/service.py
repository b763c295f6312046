"""`watcher service`: installs the daemon as a systemd service; without systemd, prints the alternatives."""

import sys
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from shlex import quote
from typing import Annotated

from typer import Option

from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, load_settings, settings_path, with_examples
from watcher.cli.output import print_lines, print_result
from watcher.daemon.systemd import BOOTED, find_service

System = Annotated[bool, Option("--system", help="Use a system service, not one of your own account.")]


@with_examples("watcher service install", "sudo /opt/watcher/bin/watcher service install --system")
def install(
    system: System = False,
    start: Annotated[bool, Option(help="Start it now; --no-start starts it at the next boot.")] = True,
    config: Config = None,
) -> int:
    """
    Install the daemon as a systemd service: it starts at boot, and restarts if it hangs or exits.

    By default it is a service of your own account. Installing it twice changes nothing. On a machine without systemd,
    the command prints the lines for cron and launchd.
    """
    path = settings_path(config).absolute()
    settings = load_settings(path)
    if not BOOTED.is_dir():
        sys.stdout.write(cron_alternative(str(path), str(path.with_name("watcher.log"))))
        return FAILED
    for line in find_service(system=system).install(settings, start=start):
        print_lines([line])
    if not system:
        print_lines(["it stops when you log out, unless you run: loginctl enable-linger"])
    print_lines([f"its log: journalctl {'' if system else '--user '}-u watcher"])
    return DONE


@with_examples("watcher service uninstall")
def uninstall(system: System = False) -> int:
    """Stop the service and remove its unit; settings, store and editions are kept."""
    for line in find_service(system=system).uninstall():
        print_lines([line])
    return DONE


@with_examples("watcher service status", "watcher service status --system --json")
def status(system: System = False, json: Json = False) -> int:
    """Show the service status; exit code 1 unless it is running."""
    found = find_service(system=system)
    state = found.read_state() if BOOTED.is_dir() and found.path.exists() else {}
    missing = f"not installed: {found.path} does not exist" if BOOTED.is_dir() else "this machine does not run systemd"
    typed = {name: int(value) if value.isdecimal() else value or None for name, value in state.items()}
    print_result(typed, format_state(state) if state else [missing], json=json)
    return DONE if state.get("ActiveState") == "active" else FAILED


def format_state(state: Mapping[str, str]) -> Iterator[str]:
    yield f"{state['ActiveState']} ({state['SubState']}), process {state['MainPID']}"
    if state.get("StatusText"):
        yield f"status: {state['StatusText']}"
    yield f"restarts: {state['NRestarts']}; start at boot: {state['UnitFileState']}"


def cron_alternative(settings: str, log: str) -> str:
    words = [sys.executable, "-m", "watcher"]
    return (
        (files("watcher.cli") / "templates" / "without_systemd.txt")
        .read_text("utf-8")
        .format(
            command=" ".join(map(quote, words)),
            settings=quote(settings),
            log=quote(log),
            words="".join(f"<string>{escape(word)}</string>" for word in (*words, "run", "--config", settings)),
            xml_log=escape(log),
        )
    )
