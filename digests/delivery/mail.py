"""What the channels that send mail have in common: the settings of recipients, and a mail to each."""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from digests.model.delivery import Rendered
from digests.settings.channel import Content, DeliverSettings
from digests.settings.mail import Mailbox, parse_mailbox


class MailDeliverSettings(DeliverSettings):
    to: tuple[Mailbox, ...] = Field(
        default=(),
        description="Recipients; each one gets a separate mail. By default, those of `mail`.",
        max_length=1_000,
    )
    attach: tuple[Literal["epub"], ...] = Field(
        default=(),
        description='Formats to attach to each mail: "epub", such as for a Kindle (docs/guides/e-readers.md).',
        max_length=1,
    )

    @classmethod
    def find_missing(
        cls, table: Mapping[str, object], mail: Mapping[str, object], document: Mapping[str, object]
    ) -> Iterator[str]:
        """Yield what a mail delivery lacks in the settings: a sender, or recipients."""
        if "from" not in mail:
            yield "a sender; expected mail = { from = … } in its digest"
        if not table.get("to") and not mail.get("to"):
            yield "recipients; expected to = […]"

    def recipients(self, mail_to: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(parse_mailbox(one)[1] for one in self.to or mail_to))

    def forms(self, content: Content, recipient: str) -> tuple[Rendered, ...]:
        return (content.mail(recipient, self.attach),)
