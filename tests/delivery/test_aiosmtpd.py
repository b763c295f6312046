"""The channel `smtp` against another's server: aiosmtpd, with STARTTLS and a login."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from digests.delivery.smtp import SmtpChannel
from digests.errors import DeliveryError
from digests.settings.mail import SmtpSettings
from tests.delivery.conftest import MAIL


class Mailbox:
    """Keeps the mails, and refuses one reader."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], bytes]] = []

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address == "bob@example.net":
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope) -> str:
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return "250 2.0.0 kept"


def authenticate(server, session, envelope, mechanism, data) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"user", b"right"), handled=False)


@pytest.fixture
async def mailbox(tls):
    """A mailbox behind a server, and the server's port."""
    box = Mailbox()

    def make() -> SMTP:
        return SMTP(box, tls_context=tls, require_starttls=True, authenticator=authenticate, auth_required=True)

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    async with server:
        yield box, server.sockets[0].getsockname()[1]


def channel(port: int, password: str = "right") -> SmtpChannel:
    given = {"host": "127.0.0.1", "port": port, "user": "user", "timeout": timedelta(seconds=20)}
    settings = SmtpSettings.model_validate(given, context={})
    return SmtpChannel(settings, sender="digest@example.org", password=password)


async def test_a_mail_arrives_byte_for_byte_and_one_refusal_is_one_readers(mailbox, parcel):
    box, port = mailbox

    def send() -> str:
        smtp = channel(port)
        said = smtp.send(parcel("ann@example.net"), before_commit=lambda: None)
        with pytest.raises(DeliveryError, match="no such user") as caught:
            smtp.send(parcel("bob@example.net"), before_commit=lambda: None)
        assert (caught.value.permanent, caught.value.affects_all_recipients) == (True, False)
        smtp.send(parcel("cem@example.net"), before_commit=lambda: None)
        smtp.close()
        return said

    assert await asyncio.to_thread(send) == "250 2.0.0 kept"

    assert box.mails == [("digest@example.org", [name], MAIL) for name in ("ann@example.net", "cem@example.net")]


async def test_a_wrong_password_is_not_tried_again(mailbox, parcel):
    box, port = mailbox

    def send() -> None:
        smtp = channel(port, password="wrong")
        try:
            smtp.send(parcel(), before_commit=lambda: None)
        finally:
            smtp.close()

    with pytest.raises(DeliveryError, match="answered AUTH with 535") as caught:
        await asyncio.to_thread(send)

    assert caught.value.permanent
    assert box.mails == []
