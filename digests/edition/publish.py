"""From an edition to its files: rendered in the digest's forms and handed to the file channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from digests.delivery.file import write_files
from digests.errors import DigestError
from digests.model import Edition, OutboundMessage, Rendered
from digests.render.templating import TEMPLATE_NAMES, Own, OwnTemplate
from digests.settings.delivery import DeliverSettings
from digests.settings.digests import DigestSettings
from digests.store.editions import recent_editions
from watcher.settings.types import did_you_mean
from watcher.store.writer import read

if TYPE_CHECKING:
    from digests.render.mail import MailSettings
    from digests.settings.digests import DigestSettings
    from watcher.settings.models import Settings


def render_all(
    edition: Edition,
    digest: DigestSettings,
    formats: Sequence[str],
    *,
    earlier: Sequence[Edition] = (),
    suffix: str = "",
) -> tuple[Rendered, ...]:
    """Return the edition in `formats`, its mail addressed as the settings say; arguments as in `publish`."""
    from digests.render.atom import AtomSettings
    from digests.render.forms import render

    day = edition.local_date.isoformat()
    head = mail_settings(edition, digest, digest.mail.to, suffix=suffix)
    feed = AtomSettings(domain=parseaddr(head.sender)[1].rpartition("@")[2], site=digest.url)
    own = load_own_templates(digest.templates)
    forms = render(edition, formats, mail=head, atom=feed, earlier=earlier, own=own)
    return tuple(replace(form, name=form.name.replace(day, day + suffix, 1)) for form in forms)


def mail_settings(edition: Edition, digest: DigestSettings, to: tuple[str, ...], *, suffix: str = "") -> MailSettings:
    """Return what the head of an edition's mail to `to` says; `suffix` as in `publish`."""
    from digests.render.atom import page_url
    from digests.render.mail import MailSettings

    mail = digest.mail
    page = page_url(digest.url, f"{edition.local_date.isoformat()}{suffix}.html") if "html" in digest.formats else None
    head = MailSettings(to=to, unsubscribe=mail.unsubscribe, base_url=page)
    return head if mail.sender is None else replace(head, sender=mail.sender)


def publish(
    engine: Engine, edition: Edition, digest: DigestSettings, folder: Path, *, suffix: str = ""
) -> tuple[Path, ...]:
    """
    Write the edition's forms into `folder` and return their paths.

    Args:
        engine: Of the store that has the earlier editions, for a feed.
        suffix: Goes behind the date in the files' names: another edition of a date that has its own.

    Errors: DeliveryError; DigestError if a template of the reader's is wrong, before a file is written.
    """
    earlier = earlier_editions(engine, digest, digest.formats)
    return write_files(render_all(edition, digest, digest.formats, earlier=earlier, suffix=suffix), folder)


def earlier_editions(engine: Engine, digest: DigestSettings, formats: Sequence[str]) -> tuple[Edition, ...]:
    """Return the digest's last editions for a form that holds several, none if there is no such form."""
    if "atom" not in formats:
        return ()
    from digests.render.atom import MAX_ENTRIES

    return read(engine, recent_editions, digest.name, before=date.max, most=MAX_ENTRIES)


def folder_of(digest: DigestSettings, settings: Settings) -> Path:
    """Return the folder of a digest's files: its directory, with a folder of its own there if it shares it."""
    from digests.settings.digests import digests_of

    shared = sum(other.directory == digest.directory for other in digests_of(settings)) > 1
    return digest.directory / digest.name if shared else digest.directory


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """What is packed. `suffix` goes behind the date in the files' names, as in `publish`."""

    engine: Engine  # of the store that has the earlier editions, for a feed
    edition: Edition
    digest: DigestSettings
    suffix: str = ""


Pack = Callable[[MessageContext, DeliverSettings], Iterator[OutboundMessage]]


def build_messages(
    engine: Engine, edition: Edition, digest: DigestSettings, *, suffix: str = ""
) -> tuple[OutboundMessage, ...]:
    """
    Return a parcel for each recipient of each channel of the settings, and each once.

    None for an edition without a story, where the settings want no such thing sent. Arguments as in `publish`.

    Errors: DigestError, if the edition's mail cannot be made.
    """
    if not edition.stories and not digest.send_empty:
        return ()
    packing = MessageContext(engine=engine, edition=edition, digest=digest, suffix=suffix)
    found: dict[tuple[str, str], OutboundMessage] = {}
    for way in digest.deliver:
        for parcel in MESSAGE_BUILDERS[way.channel](packing, way):
            found.setdefault((parcel.channel, parcel.recipient), parcel)
    return tuple(found.values())


def mail_messages(packing: MessageContext, way: DeliverSettings) -> Iterator[OutboundMessage]:
    """Yield a mail for each recipient, addressed to nobody else; it is rendered once."""
    from digests.render.forms import render
    from digests.render.mail import addressed

    readers = way.recipients(packing.digest.mail.to)
    longest = max(readers, key=len, default="")  # so that the mail of each stays within its budget
    head = mail_settings(packing.edition, packing.digest, (longest,), suffix=packing.suffix)
    (form,) = render(packing.edition, ["eml"], mail=head, own=load_own_templates(packing.digest.templates))
    for reader in readers:
        mail = replace(form, body=addressed(form.body, reader))
        yield OutboundMessage(channel=way.channel, recipient=reader, forms=(mail,))


def file_messages(packing: MessageContext, way: DeliverSettings) -> Iterator[OutboundMessage]:
    """Yield the digest's forms for a folder."""
    digest = packing.digest
    earlier = earlier_editions(packing.engine, digest, digest.formats)
    forms = render_all(packing.edition, digest, digest.formats, earlier=earlier, suffix=packing.suffix)
    for folder in way.recipients(()):
        yield OutboundMessage(channel=way.channel, recipient=folder, forms=forms)


def webhook_messages(packing: MessageContext, way: DeliverSettings) -> Iterator[OutboundMessage]:
    """Yield the message for a web address."""
    from digests.render.edition import edition_view
    from digests.render.webhook import render

    edition = packing.edition
    body = render(edition_view(edition), edition, shape=way.shape)
    form = Rendered(format=way.shape, name=f"{edition.local_date.isoformat()}.json", body=body)
    for place in way.recipients(()):
        yield OutboundMessage(channel=way.channel, recipient=place, forms=(form,))


# How each channel's parcels are made.
MESSAGE_BUILDERS: Mapping[str, Pack] = {
    "smtp": mail_messages,
    "sendmail": mail_messages,
    "file": file_messages,
    "webhook": webhook_messages,
}


MAX_TEMPLATE_BYTES = 256 * 1024  # of a template


def load_own_templates(folder: Path | None) -> Own:
    """
    Return the templates in `folder`, by name; none where there is no folder in the settings.

    Raises:
        DigestError: If the folder or a file cannot be read, or a file has the name of no template.
    """
    if folder is None:
        return ()
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        return tuple(_template(path) for path in paths)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DigestError(f"templates: {folder}: {reason}") from error


def _template(path: Path) -> OwnTemplate:
    name = path.name
    if name not in TEMPLATE_NAMES and not name.startswith("_"):
        expected = f'expected one of {", ".join(TEMPLATE_NAMES)}, or a piece of your own that begins with "_"'
        raise DigestError(f"{path}: no template of this name, {expected}{did_you_mean(name, TEMPLATE_NAMES)}")
    if path.stat().st_size > MAX_TEMPLATE_BYTES:
        raise DigestError(f"{path}: larger than {MAX_TEMPLATE_BYTES // 1024} KiB")
    return OwnTemplate(name=name, path=str(path), source=path.read_text("utf-8"))
