"""An edition as a mail ready to send: text first, HTML with inlined styles, nothing loaded, never above its budget."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache, partial

import css_inline

from digests.errors import DigestError
from digests.model import Edition
from digests.render import html, text
from digests.render.headers import MAIL, phrase
from digests.render.markdown import document
from digests.render.safe import inert, web_url
from digests.render.shorten import Step, each, fewer, steps, terse
from digests.render.templating import Own, filled
from digests.render.view import EditionView, StoryView
from digests.settings.delivery import parse_mailbox

BUDGET = 90 * 1024  # bytes as sent; Gmail cuts a message at about 102 kB
UNDISCLOSED = "undisclosed-recipients:;"  # a mail that has no reader yet
# Bytes of a story, and of a mail of up to 15: of its HTML always, and as sent for what is there only if there is room.
STORY_ROOM, LEAST_ROOM = 4_000, 60_000
TEXT_HEADLINES, TEXT_SOURCES = 1, 2  # in the part that few programs show
# What has its styles in its elements, and no dark mode of its own: each byte of a mail counts.
UNUSED = re.compile(r' class="(?:lead|empty|note)"|(?<=<bdi) lang="[a-z]+"|<span class="number">([^<]*)</span>')
TO_LINE = re.compile(rb"^To: [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """
    What a mail says beyond its edition.

    Attributes:
        sender: "digest@example.org", or with a name; without one the digest's title stands for it.
        to: Addresses; empty for a file that gets its readers later.
        unsubscribe: An https or mailto address; None for a mail to the sender.
        base_url: Where the edition can be read as a page, if anywhere.
        budget: Bytes of the message as sent.
    """

    sender: str = "digest@localhost"
    to: tuple[str, ...] = ()
    unsubscribe: str | None = None
    base_url: str | None = None
    budget: int = BUDGET


def render(view: EditionView, edition: Edition, mail: MailSettings, own: Own = ()) -> bytes:
    """
    Return the message, in ASCII with CRLF; the same edition gives the same bytes.

    Too long a one is shortened step by step, and says what was left out.

    Raises:
        DigestError: If the sender or a reader is no address that mail in ASCII can have.
    """
    room = min(max(LEAST_ROOM, STORY_ROOM * len(view.stories)), mail.budget)
    tried = list(steps(each(view, _for_mail, [])))

    def fits(step: Step) -> bool:
        message, html_bytes = _message(step, edition, mail, own)
        return html_bytes <= room and len(message.as_bytes()) <= (mail.budget if step.at_all_costs else room)

    # Each step is shorter than the one before it, so that few need be tried.
    first = bisect_left(tried, True, hi=len(tried) - 1, key=fits)
    return _message(tried[first], edition, mail, own)[0].as_bytes()


def _for_mail(story: StoryView) -> StoryView:
    """Return a story with a short anchor and without what only a page unfolds."""
    return replace(story, anchor=f"n{story.number}", grounds=())


def addressed(message: bytes, reader: str) -> bytes:
    """Return a message made by `render` with another reader in its head; nothing else changes."""
    head, blank, body = message.partition(b"\r\n\r\n")
    line = f"To: {_address(reader)[1]}\r\n".encode()
    head = TO_LINE.sub(lambda match: line, head + b"\r\n", count=1)
    return head.removesuffix(b"\r\n") + blank + body


def inlined_html(
    view: EditionView, own: Own = (), *, base_url: str | None = None, unsubscribe: str | None = None
) -> str:
    """Return the HTML part: styles in the elements, but for those of the dark mode."""
    values = {"v": view, "w": view.words, "doc": document(view, own), "base_url": base_url, "unsubscribe": unsubscribe}
    page = filled(html.templates(own), "mail.html.j2", own, values)
    return UNUSED.sub(r"\1", _inliner().inline(page))


def _message(step: Step, edition: Edition, mail: MailSettings, own: Own) -> tuple[EmailMessage, int]:
    """Return the message, and how many bytes its HTML has when it has arrived."""
    view = step.view
    name, address = _address(mail.sender)
    name = name or view.title
    label = _label(view.digest)
    domain = address.rsplit("@", 1)[1]
    unsubscribe = mail.unsubscribe or f"mailto:{address}?subject=unsubscribe%20{label}"
    base_url = web_url(mail.base_url) if mail.base_url else None
    message = EmailMessage(policy=MAIL)
    message["From"] = f"{phrase(name)} <{address}>" if name else address
    message["To"] = ", ".join(_address(reader)[1] for reader in mail.to) or UNDISCLOSED
    message["Subject"] = view.subject
    message["Date"] = format_datetime(edition.made_at)
    message["Message-ID"] = f"<{view.day.isoformat()}.{edition.made_at:%H%M%S%f}.{label}@{domain}>"
    message["List-Id"] = f"{phrase(view.title)} <{label}.{domain}>"
    message["List-Unsubscribe"] = f"<{unsubscribe}>"
    message["List-Post"] = "NO"  # nobody writes to this list (RFC 2369 §3.4)
    message["Auto-Submitted"] = "auto-generated"
    short = terse(view) if step.terse else view
    short = each(short, partial(fewer, headlines=TEXT_HEADLINES, sources=TEXT_SOURCES), list(short.left_out))
    plain = text.render(short, own, base_url=base_url, unsubscribe=unsubscribe)
    rich = inlined_html(view, own, base_url=base_url, unsubscribe=unsubscribe)
    message.set_content(plain, subtype="plain", charset="utf-8", cte=_shorter(plain))
    message.add_alternative(rich, subtype="html", charset="utf-8", cte=_shorter(rich))
    message["Content-Language"] = view.language  # after the parts: they take over Content-* that stands before
    # "=_" stands in no quoted-printable text, so that a boundary with it ends no part early.
    message.set_boundary("=_" + hashlib.sha256(f"{message['Message-ID']}\n{plain}\n{rich}".encode()).hexdigest()[:32])
    return message, len(rich.encode())


def _shorter(text: str) -> str:
    """Return the transfer encoding that takes fewer bytes: quoted-printable, unless most of a text is no ASCII."""
    data = text.encode()
    escaped = sum(byte > 126 or byte == 61 or (byte < 32 and byte not in (10, 13)) for byte in data)
    return "quoted-printable" if (len(data) + 2 * escaped) * 76 / 73 <= len(data) * 4 / 3 * 78 / 76 else "base64"


def _address(value: str) -> tuple[str, str]:
    """Return the name and the address of "Name <a@b>"; a domain in other letters becomes its ASCII form."""
    try:
        name, address = parse_mailbox(inert(value))
    except ValueError as error:
        raise DigestError(f"{inert(value)!r} is no mail address: {error}") from error
    return inert(name), address


def _label(digest: str) -> str:
    """Return the digest's name as a label of a domain; a name in other letters is told apart by its hash."""
    plain = re.sub(r"[^a-z0-9]+", "-", digest.lower()).strip("-")
    return plain if digest.isascii() and plain else hashlib.sha256(digest.encode("utf-8", "replace")).hexdigest()[:12]


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, minify_css=True)
