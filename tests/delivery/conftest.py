"""A certificate for localhost, and a mail that is long enough to be broken off in the middle."""

from __future__ import annotations

import shutil
import ssl
import subprocess

import pytest

from digests.model.delivery import OutboundMessage, Rendered
from tests.digest_store import engine, put

__all__ = ["engine", "put"]

OPENSSL = shutil.which("openssl")
LINES = [b".a line that begins with a dot", b"..", b".", b"", b"a line of the mail, of about sixty characters in all"]
MAIL = (
    b"From: digest@example.org\r\nSubject: News\r\nMessage-ID: <1@example.org>\r\n\r\n"
    + b"\r\n".join(LINES * 500)
    + b"\r\n"
)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate of its own for localhost and its address, valid for a day: certificate and key."""
    if OPENSSL is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "cert.pem"
    command = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


@pytest.fixture
def tls(certificate, monkeypatch):
    """The server's side of TLS; the client trusts the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def parcel():
    """Return a function that makes a mail for a recipient."""

    def made(recipient: str = "ann@example.net", channel: str = "smtp") -> OutboundMessage:
        form = Rendered(format="eml", name="2025-03-14.eml", body=MAIL)
        return OutboundMessage(channel=channel, recipient=recipient, forms=(form,))

    return made
