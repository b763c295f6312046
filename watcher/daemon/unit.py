"""The systemd unit of the daemon: as a service of one's own account, or of the system under a user made for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NAME = "watcher.service"
STATE = Path("/var/lib/watcher")  # of the system's service: systemd makes it, for that user alone
WATCHDOG_S = 120  # a sign of life comes each ten seconds; one that waits for a locked store, after 15
START_S = 600  # a store of an older version is brought up to date first
STOP_S = 20  # the daemon ends within ten


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What the unit is made of. `credentials`: files of secrets by their names in the settings."""

    command: Sequence[str]
    settings: Path
    system: bool
    credentials: Mapping[str, Path] = field(default_factory=dict)


def text_of(unit: Unit) -> str:
    """Return the unit file."""
    return "\n".join(lines(unit)) + "\n"


def lines(unit: Unit) -> Iterator[str]:
    """Yield the lines of a unit."""
    yield "# Written by `watcher service install`; a change here goes with the next one."
    yield "# Make yours with `systemctl edit watcher`."
    yield from ("[Unit]", "Description=Watcher: polls news feeds and writes digests")
    if unit.system:
        yield from ("Wants=network-online.target", "After=network-online.target")
    yield from ("", "[Service]", "Type=notify", "NotifyAccess=main")
    yield f"ExecStart={' '.join(quoted(word) for word in (*unit.command, 'run', '--config', str(unit.settings)))}"
    yield "ExecReload=/bin/kill -HUP $MAINPID"
    yield f"WatchdogSec={WATCHDOG_S}"
    yield f"TimeoutStartSec={START_S}"
    yield f"TimeoutStopSec={STOP_S}"
    yield "# The daemon ends its workers itself."
    yield "KillMode=mixed"
    yield from ("Restart=always", "RestartSec=5", "RestartSteps=6", "RestartMaxDelaySec=300")
    yield "# Wrong settings: a start does not mend them."
    yield "RestartPreventExitStatus=2"
    yield "LimitNOFILE=65536"
    if unit.system:
        yield from ("", "# A user of its own, made for the time it runs; what it keeps is in the state folder.")
        yield from ("DynamicUser=yes", "StateDirectory=watcher", "StateDirectoryMode=0700")
        yield f"Environment=XDG_STATE_HOME={STATE.parent} HOME={STATE}"
        yield f"WorkingDirectory={STATE}"
        for name, path in unit.credentials.items():
            yield f"LoadCredential={quoted(f'{name}:{path}')}"
    yield from ("", "# What it has no need of, it may not do.", *(SECCOMP if not unit.system else (*SYSTEM, *SECCOMP)))
    yield from ("", "[Install]", f"WantedBy={'multi-user' if unit.system else 'default'}.target")


SECCOMP = (  # what a service of one's own account can be held to as well
    "NoNewPrivileges=yes",
    "UMask=0077",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictNamespaces=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
)
SYSTEM = (
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "RemoveIPC=yes",
    "KeyringMode=private",
)


def quoted(word: str) -> str:
    """Return a word of a command as systemd reads it back."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{safe}"' if any(c.isspace() or c in "\"'\\;" for c in word) else safe
