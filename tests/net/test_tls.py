"""TLS: the name stays in SNI and Host though the address is what is connected to; a bad certificate is named."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess

import pytest

from watcher.errors import Unreachable
from watcher.net.client import Client
from watcher.net.transport import tls_context

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs openssl to make a certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of its own for localhost, valid for a day."""
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "cert.pem"
    command = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


@pytest.fixture(autouse=True)
def own_context():
    """Have the context made anew: what is trusted is read once for a process."""
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


async def test_the_name_is_kept_in_sni_and_host(server, certificate, make_answer, monkeypatch):
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda connection, name, context: names.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    server.answers["/f"] = make_answer(b"secret")

    async with listening, Client(user_agent="w/1", allow_private=[f"localhost:{port}"]) as client:
        got = await client.get(f"https://localhost:{port}/f")

    assert got.body == b"secret"
    assert names == ["localhost"]
    assert server.requests[0].headers["host"] == f"localhost:{port}"


async def test_a_certificate_of_nobody_is_not_trusted(server, certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]

    async with listening, Client(user_agent="w/1", allow_private=["127.0.0.0/8"]) as client:
        with pytest.raises(Unreachable, match="certificate"):
            await client.get(f"https://localhost:{port}/f")

    assert server.requests == []
