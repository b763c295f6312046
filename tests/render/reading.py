"""How a test reads an edition: its headlines and links, and a mailbox behind a real SMTP server."""

from __future__ import annotations

import asyncio
import smtplib

from aiosmtpd.smtp import SMTP
from lxml import html as lxml_html


def headlines_and_links(source: str) -> tuple[list[str], list[tuple[str, str]]]:
    """
    Return the headings, and text and address of each link to an outlet, in order.

    Left out are the outlets that a story names or folds after its sentences: a page lists more of them than a file.
    """
    page = lxml_html.document_fromstring(source)
    headings = [" ".join(h.text_content().split()) for h in page.xpath("//h3")]
    lists = "starts-with(., 'Reported by:') or contains(substring-before(., ':'), ' independent')"
    lists += " or contains(substring-before(., ':'), ' by headline alone')"
    folded = "ancestor::details[@class='proof' or @class='grounds']"
    shown = page.xpath(f"//a[starts-with(@href, 'http')][not({folded})][not(ancestor::p[{lists}])]")
    links = [(" ".join(a.text_content().split()), a.get("href")) for a in shown]
    return headings, links


class Mailbox:
    """Keeps the messages that a server on loopback was given, as they came."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        del server, session
        self.messages.append(envelope.original_content)
        return "250 kept"


async def sent_through_smtp(body: bytes) -> list[bytes]:
    """Send a message by smtplib through a real SMTP server, and return what came out."""
    mailbox = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox), "127.0.0.1", 0)

    def send() -> None:
        with smtplib.SMTP(*server.sockets[0].getsockname()) as client:
            client.sendmail("digest@example.org", ["reader@example.net"], body)

    async with server:
        await asyncio.to_thread(send)
    return mailbox.messages
