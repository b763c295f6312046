"""Dovecot as an IMAP server for tests: unprivileged, on loopback, with its own folder and one user."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
REASON = "no Dovecot is installed; on Debian: apt-get install dovecot-imapd"
USER, PASSWORD = "reader@example.org", 'pass "word'
SETTINGS = """
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
protocols = imap
listen = 127.0.0.1
mail_driver = maildir
mail_path = {folder}/mail
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
mail_home = {folder}
auth_allow_cleartext = yes
auth_failure_delay = 0
ssl = {ssl}
{certificate}
passdb passwd-file {{
  passwd_file_path = {folder}/users
}}
userdb static {{
}}
namespace inbox {{
  inbox = yes
  separator = .
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 8
}}
"""


@dataclass
class ImapServer:
    folder: Path
    port: int
    tls_port: int
    owner: tuple[int, int]
    names: dict[str, int] = field(default_factory=dict)

    def url(self, name: str = "News", *, tls: bool = False) -> str:
        return (
            f"imaps://{USER}@localhost:{self.tls_port}/{name}" if tls else f"imap://{USER}@127.0.0.1:{self.port}/{name}"
        )

    def deliver(self, mail: bytes, name: str = "News") -> Path:
        """Put a mail into a folder as a mail server does; return its file."""
        self.names[name] = self.names.get(name, 0) + 1
        box = self.folder / "mail" / f".{name}"
        for part in ("tmp", "new", "cur"):
            (box / part).mkdir(parents=True, exist_ok=True)
        written = box / "tmp" / f"{1_700_000_000 + self.names[name]}.m{self.names[name]}.host"
        written.write_bytes(mail)
        for path in (self.folder / "mail", box, *box.iterdir(), written):
            os.chown(path, *self.owner)
        return written.rename(box / "new" / written.name)

    def flags(self, name: str = "News") -> set[str]:
        """Return the flags of all mails in a folder, "S" for seen."""
        box = self.folder / "mail" / f".{name}"
        return {letter for path in (box / "cur").iterdir() for letter in path.name.partition(":2,")[2]}


@contextmanager
def imap_server(certificate: tuple[Path, Path] | None = None) -> Iterator[ImapServer]:
    who = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    group = next((g for g in (who.pw_name, "nogroup") if _has_group(g)), str(who.pw_gid))
    with tempfile.TemporaryDirectory(prefix="dovecot") as name, socket.socket() as one, socket.socket() as two:
        folder = Path(name)
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        server = ImapServer(folder, one.getsockname()[1], two.getsockname()[1], (who.pw_uid, who.pw_gid))
        for part in ("run", "state", "mail"):
            (folder / part).mkdir()
        tls = ""
        if certificate is not None:
            shutil.copy(certificate[0], folder / "cert.pem")
            shutil.copy(certificate[1], folder / "key.pem")
            tls = f"ssl_server_cert_file = {folder}/cert.pem\nssl_server_key_file = {folder}/key.pem"
        (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        values = {
            "folder": folder,
            "user": who.pw_name,
            "group": group,
            "port": server.port,
            "tls_port": server.tls_port,
        }
        values |= {"ssl": "yes" if certificate else "no", "certificate": tls}
        (folder / "dovecot.conf").write_text(SETTINGS.format(**values))
        for path in (folder, *folder.iterdir()):
            os.chown(path, *server.owner)
        one.close()
        two.close()
        as_user = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        running = subprocess.Popen([DOVECOT, "-F", "-c", folder / "dovecot.conf"], stderr=subprocess.DEVNULL, **as_user)
        try:
            _wait(server, running)
            yield server
        finally:
            running.terminate()
            running.wait(120)


def _has_group(name: str) -> bool:
    import grp

    try:
        return bool(grp.getgrnam(name))
    except KeyError:
        return False


def _wait(server: ImapServer, running: subprocess.Popen[bytes]) -> None:
    for _ in range(2_400):
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=1) as line:
                line.settimeout(5)
                if line.recv(100).startswith(b"* OK"):
                    return
        except OSError:
            pass
        if running.poll() is not None:
            break
        time.sleep(0.05)
    log = server.folder / "log"
    raise RuntimeError(f"Dovecot does not start: {log.read_text() if log.is_file() else 'no log'}")
