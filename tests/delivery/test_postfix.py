"""A mail goes through a real Postfix byte for byte: it adds lines on top, and changes nothing below them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from digests.delivery.smtp import SmtpChannel
from digests.model.delivery import OutboundMessage
from digests.render.forms import MailHead, render
from digests.settings.mail import SmtpSettings
from tests.delivery.mail_server import MailServer
from tests.patience import PATIENCE_S
from tests.render import editions

POSTFIX = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(POSTFIX is None, reason="no Postfix is installed; on Debian: apt-get install postfix"),
    pytest.mark.skipif(os.geteuid() != 0, reason="Postfix starts as root only"),
]
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {programs}
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mail.example
mydestination =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{onward}
maillog_file = {folder}/log/maillog
maillog_file_prefixes = {folder}
alias_maps =
"""
MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def postfix(folder: Path, *, onward: int):
    """A Postfix of the test's own that hands all mail on to a port; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ("conf", "queue", "data", "log"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    folder.chmod(0o755)  # Postfix's own user looks into it
    asked = subprocess.run(["postconf", "-dh", "command_directory", "daemon_directory"], capture_output=True, text=True)
    programs, daemons = asked.stdout.split()
    main = MAIN.format(folder=folder, programs=programs, daemons=daemons, onward=onward)
    (folder / "conf" / "main.cf").write_text(main)
    (folder / "conf" / "master.cf").write_text(MASTER.format(port=f"127.0.0.1:{port}"))
    command = [str(POSTFIX), "-c", str(folder / "conf")]
    subprocess.run([*command, "start"], check=True, capture_output=True, timeout=60)
    try:
        yield port
    finally:
        subprocess.run([*command, "abort"], capture_output=True, timeout=60)


@pytest.mark.parametrize("name", ["small", "rich"])
def test_a_mail_comes_out_of_postfix_as_it_went_in(name):
    head = MailHead(sender="World Digest <digest@example.org>", to=("ann@example.net",))
    (form,) = render(getattr(editions, name)(), ["eml"], mail=head)

    with (
        tempfile.TemporaryDirectory(prefix="watcher-postfix-") as folder,
        MailServer() as reader,
        postfix(Path(folder), onward=reader.port) as port,
    ):
        server = SmtpSettings.model_validate({"host": "127.0.0.1", "port": port, "security": "plain"}, context={})
        channel = SmtpChannel(server, sender="digest@example.org")
        parcel = OutboundMessage(channel="smtp", recipient="ann@example.net", forms=(form,))
        said = channel.send(parcel, before_commit=lambda: None)
        channel.close()
        until = time.monotonic() + PATIENCE_S
        while not reader.taken and time.monotonic() < until:
            time.sleep(0.1)

    (mail,) = reader.taken
    assert said.startswith("250 2.0.0 Ok: queued as")
    assert (mail.sender, mail.recipient) == ("digest@example.org", "ann@example.net")
    assert mail.body.endswith(form.body)
    on_top = mail.body.removesuffix(form.body).decode()
    assert on_top.startswith("Received: from")
    assert all(line.startswith(("Received: ", "\t")) for line in on_top.removesuffix("\r\n").split("\r\n"))
