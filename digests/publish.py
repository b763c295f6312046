"""From an edition to its files: rendered in the digest's forms and handed to the file channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from digests.deliver.file import write
from digests.model import Edition, Rendered

if TYPE_CHECKING:
    from digests.settings import DigestSettings
    from watcher.settings.model import Settings


def rendered(edition: Edition, digest: DigestSettings, formats: Sequence[str]) -> tuple[Rendered, ...]:
    """Return the edition in `formats`, its mail addressed as the settings say."""
    from digests.render.forms import render
    from digests.render.mail import MailSettings

    mail = digest.mail
    head = MailSettings(to=mail.to) if mail.sender is None else MailSettings(sender=mail.sender, to=mail.to)
    return render(edition, formats, mail=head)


def publish(edition: Edition, digest: DigestSettings, folder: Path, *, suffix: str = "") -> tuple[Path, ...]:
    """
    Write the edition's forms into `folder` and return their paths.

    Args:
        suffix: Goes behind the date in the files' names: another edition of a date that has its own.

    Errors: DeliveryError.
    """
    forms = rendered(edition, digest, digest.formats)
    date = edition.local_date.isoformat()
    return write([replace(form, name=form.name.replace(date, date + suffix, 1)) for form in forms], folder)


def folder_of(digest: DigestSettings, settings: Settings) -> Path:
    """Return the folder of a digest's files: its directory, with a folder of its own there if it shares it."""
    from digests.settings import digests_of

    shared = sum(other.directory == digest.directory for other in digests_of(settings)) > 1
    return digest.directory / digest.name if shared else digest.directory
