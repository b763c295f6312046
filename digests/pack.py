"""What goes to whom of an edition: a parcel for each recipient of each channel, rendered and addressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from digests.delivery_settings import DeliverSettings
from digests.model import Edition, Parcel, Rendered
from digests.publish import earlier_editions, mail_head, rendered
from digests.settings import DigestSettings
from digests.templates import own_templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """What is packed. `suffix` goes behind the date in the files' names, as in `publish`."""

    engine: Engine  # of the store that has the earlier editions, for a feed
    edition: Edition
    digest: DigestSettings
    suffix: str = ""


Pack = Callable[[Packing, DeliverSettings], Iterator[Parcel]]


def parcels(engine: Engine, edition: Edition, digest: DigestSettings, *, suffix: str = "") -> tuple[Parcel, ...]:
    """
    Return a parcel for each recipient of each channel of the settings, and each once.

    None for an edition without a story, where the settings want no such thing sent. Arguments as in `publish`.

    Errors: DigestError, if the edition's mail cannot be made.
    """
    if not edition.stories and not digest.send_empty:
        return ()
    packing = Packing(engine=engine, edition=edition, digest=digest, suffix=suffix)
    found: dict[tuple[str, str], Parcel] = {}
    for way in digest.deliver:
        for parcel in PACKED[way.channel](packing, way):
            found.setdefault((parcel.channel, parcel.recipient), parcel)
    return tuple(found.values())


def mails(packing: Packing, way: DeliverSettings) -> Iterator[Parcel]:
    """Yield a mail for each recipient, addressed to nobody else; it is rendered once."""
    from digests.render.forms import render
    from digests.render.mail import addressed

    readers = way.recipients(packing.digest.mail.to)
    longest = max(readers, key=len, default="")  # so that the mail of each stays within its budget
    head = mail_head(packing.edition, packing.digest, (longest,), suffix=packing.suffix)
    (form,) = render(packing.edition, ["eml"], mail=head, own=own_templates(packing.digest.templates))
    for reader in readers:
        mail = replace(form, body=addressed(form.body, reader))
        yield Parcel(channel=way.channel, recipient=reader, forms=(mail,))


def files(packing: Packing, way: DeliverSettings) -> Iterator[Parcel]:
    """Yield the digest's forms for a folder."""
    digest = packing.digest
    earlier = earlier_editions(packing.engine, digest, digest.formats)
    forms = rendered(packing.edition, digest, digest.formats, earlier=earlier, suffix=packing.suffix)
    for folder in way.recipients(()):
        yield Parcel(channel=way.channel, recipient=folder, forms=forms)


def messages(packing: Packing, way: DeliverSettings) -> Iterator[Parcel]:
    """Yield the message for a web address."""
    from digests.render.edition import view
    from digests.render.webhook import render

    edition = packing.edition
    body = render(view(edition), edition, shape=way.shape)
    form = Rendered(format=way.shape, name=f"{edition.local_date.isoformat()}.json", body=body)
    for place in way.recipients(()):
        yield Parcel(channel=way.channel, recipient=place, forms=(form,))


# How each channel's parcels are made.
PACKED: Mapping[str, Pack] = {"smtp": mails, "sendmail": mails, "file": files, "webhook": messages}
