"""From an edition to its files: rendered in the digest's forms and handed to the file channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from digests.deliver.file import write
from digests.model import Edition, Rendered
from digests.store.editions import recent_editions
from digests.templates import own_templates
from watcher.store.writer import read

if TYPE_CHECKING:
    from digests.render.mail import MailSettings
    from digests.settings import DigestSettings
    from watcher.settings.model import Settings


def rendered(
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
    head = mail_head(edition, digest, digest.mail.to, suffix=suffix)
    feed = AtomSettings(domain=parseaddr(head.sender)[1].rpartition("@")[2], site=digest.url)
    own = own_templates(digest.templates)
    forms = render(edition, formats, mail=head, atom=feed, earlier=earlier, own=own)
    return tuple(replace(form, name=form.name.replace(day, day + suffix, 1)) for form in forms)


def mail_head(edition: Edition, digest: DigestSettings, to: tuple[str, ...], *, suffix: str = "") -> MailSettings:
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
    return write(rendered(edition, digest, digest.formats, earlier=earlier, suffix=suffix), folder)


def earlier_editions(engine: Engine, digest: DigestSettings, formats: Sequence[str]) -> tuple[Edition, ...]:
    """Return the digest's last editions for a form that holds several, none if there is no such form."""
    if "atom" not in formats:
        return ()
    from digests.render.atom import MOST

    return read(engine, recent_editions, digest.name, before=date.max, most=MOST)


def folder_of(digest: DigestSettings, settings: Settings) -> Path:
    """Return the folder of a digest's files: its directory, with a folder of its own there if it shares it."""
    from digests.settings import digests_of

    shared = sum(other.directory == digest.directory for other in digests_of(settings)) > 1
    return digest.directory / digest.name if shared else digest.directory
