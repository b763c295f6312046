"""`watcher service`: installs the daemon as a systemd service; without systemd, prints the alternatives."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import Annotated

from jinja2 import Environment, PackageLoader, StrictUndefined
from typer import Option

from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import Config, Json, load_settings, settings_path
from watcher.cli.output import print_lines, print_result
from watcher.errors import WatcherError
from watcher.settings.base import SettingsModel, settings_in
from watcher.settings.models import Settings, xdg_folder
from watcher.settings.types import Secret

System = Annotated[bool, Option("--system", help="The system service, not the one of your own account.")]
UNIT_NAME = "watcher.service"
STATE = Path("/var/lib/watcher")  # of the system service: systemd creates it, for the service's user only
BOOTED = Path("/run/systemd/system")  # sd_booted(3)
HIDDEN_FOLDERS = (Path("/home"), Path("/root"), Path("/run/user"), Path("/tmp"))  # from a system service
PROPERTIES = ("LoadState", "ActiveState", "SubState", "StatusText", "MainPID", "NRestarts", "Result", "UnitFileState")
SYSTEMCTL_LIMIT_S = 90.0


def install(
    system: System = False,
    start: Annotated[bool, Option(help="Start it now; --no-start starts it at the next boot.")] = True,
    config: Config = None,
) -> int:
    """
    Install the daemon as a systemd service: it starts at boot, and restarts if it hangs or exits.

    By default it is a service of your own account. Installing it twice changes nothing. On a machine without systemd,
    the command installs nothing: it prints the lines to add to cron or, on macOS, to launchd.
    """
    path = settings_path(config).absolute()
    settings = load_settings(path)
    if not BOOTED.is_dir():
        name = "launchd.txt" if sys.platform == "darwin" else "cron.txt"
        sys.stdout.write(_describe_alternative(name, str(path), str(path.with_name("watcher.log"))))
        return FAILED
    for line in _find_service(system=system).install(settings, start=start):
        print_lines([line])
    if not system:
        print_lines(["it stops when you log out, unless you run: loginctl enable-linger"])
    print_lines([f"its log: journalctl {'' if system else '--user '}-u watcher"])
    return DONE


def uninstall(system: System = False) -> None:
    """Stop the service and remove its unit; settings, store and editions are kept."""
    for line in _find_service(system=system).uninstall():
        print_lines([line])


def status(system: System = False, json: Json = False) -> int:
    """Show the service status; exit code 1 unless it is running."""
    service = _find_service(system=system)
    state = service.read_state() if BOOTED.is_dir() and service.path.exists() else {}
    missing = (
        f"not installed: {service.path} does not exist" if BOOTED.is_dir() else "this machine does not run systemd"
    )
    typed = {name: int(value) if value.isdecimal() else value or None for name, value in state.items()}
    print_result(typed, format_state(state) if state else [missing], json=json)
    return DONE if state.get("ActiveState") == "active" else FAILED


def format_state(state: Mapping[str, str]) -> Iterator[str]:
    yield f"{state['ActiveState']} ({state['SubState']}), process {state['MainPID']}"
    if state.get("StatusText"):
        yield f"status: {state['StatusText']}"
    yield f"restarts: {state['NRestarts']}; start at boot: {state['UnitFileState']}"


def _describe_alternative(name: str, settings: str, log: str) -> str:
    """Return how to run Watcher without systemd: the template `name`, for cron or for launchd."""
    words = [sys.executable, "-m", "watcher"]
    return (
        (files("watcher.cli") / "templates" / name)
        .read_text("utf-8")
        .format(
            command=" ".join(map(quote, words)),
            settings=quote(settings),
            log=quote(log),
            words="".join(f"<string>{escape(word)}</string>" for word in (*words, "run", "--config", settings)),
            xml_log=escape(log),
        )
    )


def systemctl(*arguments: str) -> str:
    """Run systemctl and return its output. Errors: WatcherError if it fails or takes over `SYSTEMCTL_LIMIT_S`."""
    try:
        done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=SYSTEMCTL_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WatcherError(f"systemctl {' '.join(arguments)}: {error}") from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise WatcherError(f"systemctl {' '.join(arguments)}: {words}")
    return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A system service, or one of the user's own service manager. `control` runs systemctl."""

    system: bool
    folder: Path
    control: Callable[..., str] = systemctl

    @property
    def path(self) -> Path:
        return self.folder / UNIT_NAME

    def run_systemctl(self, *arguments: str) -> str:
        """Run systemctl, with `--user` unless it is a system service. Errors: WatcherError."""
        return self.control(*(() if self.system else ("--user",)), *arguments)

    def install(self, settings: Settings, *, start: bool) -> Iterator[str]:
        """Write and enable the unit, and start it if `start`; yield a message for each step. Errors: WatcherError."""
        text = _build_unit(settings, system=self.system)
        is_new = not self.path.exists() or self.path.read_text(encoding="utf-8") != text
        if is_new:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.path.write_text(text, encoding="utf-8")
            yield f"wrote {self.path}"
        else:
            yield f"{self.path} is up to date"
        self.run_systemctl("daemon-reload")
        self.run_systemctl("enable", UNIT_NAME)
        if start:
            self.run_systemctl("restart" if is_new else "start", UNIT_NAME)
            yield "started; from now on it starts at boot"
        else:
            yield f"not started; to start it: systemctl {'' if self.system else '--user '}start watcher"

    def uninstall(self) -> Iterator[str]:
        """Stop the service and remove its unit; yield a message for each step. Errors: WatcherError."""
        if not self.path.exists():
            yield f"not installed: {self.path} does not exist"
            return
        self.run_systemctl("disable", "--now", UNIT_NAME)
        self.path.unlink()
        self.run_systemctl("daemon-reload")
        yield f"stopped, and removed {self.path}; settings, store and editions are kept"

    def read_state(self) -> dict[str, str]:
        """Return systemd's `PROPERTIES` of the service, by name. Errors: WatcherError."""
        answer = self.run_systemctl("show", UNIT_NAME, *(f"--property={name}" for name in PROPERTIES))
        return dict(line.partition("=")[::2] for line in answer.splitlines() if "=" in line)


def _find_service(*, system: bool) -> Service:
    user_folder = xdg_folder("XDG_CONFIG_HOME", ".config").parent / "systemd" / "user"
    return Service(system=system, folder=Path("/etc/systemd/system") if system else user_folder)


def _build_unit(settings: Settings, *, system: bool) -> str:
    """Return the unit file for a settings file. Errors: WatcherError if the service could not use those settings."""
    if settings.path is None:
        raise WatcherError("these settings do not come from a file")
    secrets = {value.name: value for _, value in _iter_values(settings) if isinstance(value, Secret)}
    if settings.store.secret is not None:
        secrets[settings.store.secret.name] = settings.store.secret
    unset = [secret for secret in secrets.values() if secret.kind == "env"]
    if unset:
        words = f"a service does not see your environment variables: the secret {unset[0]} would be empty"
        hint = f'write it into a file next to {settings.path}, mode 0600, and set it as "file:NAME"'
        raise WatcherError(words, hint=hint)
    if system:
        _check_paths(settings)
    files = {Path(name).name: secret.folder / Path(name).expanduser() for name, secret in secrets.items()}
    return _render_unit((sys.executable, "-m", "watcher"), settings.path, system=system, credentials=files)


def _render_unit(command: Sequence[str], settings: Path, *, system: bool, credentials: Mapping[str, Path]) -> str:
    """Return the unit file that runs `command`; `credentials` are the paths of secret files by credential name."""
    environment = Environment(
        loader=PackageLoader("watcher.cli"), trim_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    return environment.get_template(f"{UNIT_NAME}.j2").render(
        command=" ".join(map(_quote_exec_arg, (*command, "run", "--config", str(settings)))),
        credentials=[_quote_exec_arg(f"{name}:{path}") for name, path in credentials.items()],
        state=STATE,
        system=system,
    )


def _quote_exec_arg(word: str) -> str:
    """Return an argument quoted for ExecStart= (systemd.service(5))."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{safe}"' if any(c.isspace() or c in "\"'\\;" for c in word) else safe


def _check_paths(settings: Settings) -> None:
    """Raise WatcherError if a system service could not read or write a path of the settings."""
    assert settings.path is not None
    program = Path(sys.executable)
    for what, path in (("program", program), ("program", program.resolve()), ("settings file", settings.path)):
        if any(path.is_relative_to(folder) for folder in HIDDEN_FOLDERS):
            hint = "install into /opt/watcher and put the settings into /etc/watcher, or omit --system"
            raise WatcherError(f"a system service cannot read the {what} {path}", hint=hint)
    paths = [(name, value) for name, value in _iter_values(settings) if isinstance(value, Path)]
    scheme, _, rest = settings.store.url.partition(":///")
    if scheme.startswith("sqlite") and "store" in settings.model_fields_set:
        paths.insert(0, ("[store] url", Path(rest.partition("?")[0])))
    for name, path in paths:
        if not path.is_relative_to(STATE):
            hint = f'use a path in {STATE}: "{STATE / path.name}"'
            raise WatcherError(f"a system service cannot write {name} = {path}", hint=hint)


def _iter_values(part: SettingsModel, above: str = "") -> Iterator[tuple[str, object]]:
    for (key, *_), value, _ in settings_in(part):
        name = f"{above}.{key}".lstrip(".")
        yield from _iter_values(value, name) if isinstance(value, SettingsModel) else [(name, value)]
