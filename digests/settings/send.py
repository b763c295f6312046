"""The settings of services that stories and articles are sent on to: `[[send]]`."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from digests.settings.channel import Place
from digests.settings.digests import Name
from watcher.settings.base import SettingsList, SettingsModel, ValidationIssue, find_duplicates
from watcher.settings.types import OptionalSecret, matching

SENT_FIELDS = ("url", "title", "tags", "note", "outlet", "published")
SEND_FIELD = re.compile(rf"\{{({'|'.join(SENT_FIELDS)})\}}")
HEADER = re.compile(r"[A-Za-z0-9-]{1,80}: [\x20-\x7e]{0,100}\{token\}[\x20-\x7e]{0,100}")


def fill_body(body: str, values: Mapping[str, Any]) -> str:
    """Return the template `body` with each name of `SENT_FIELDS` in braces replaced by its value in JSON."""
    return SEND_FIELD.sub(lambda found: json.dumps(values[found[1]], ensure_ascii=False), body)


def _check_body(value: str) -> str:
    """Return the template of a JSON body, if it gives JSON and has the address in it. Errors: ValueError."""
    try:
        json.loads(fill_body(value, dict.fromkeys(SENT_FIELDS, "x")))
    except ValueError as error:
        raise ValueError(f"got no JSON, even with values in the place of {{url}} and others: {error}") from error
    if "{url}" not in value:
        raise ValueError('got a body without {url}, expected one such as {"url": {url}, "title": {title}}')
    return value


Header = Annotated[str, matching(HEADER, 'a header such as "Authorization: Bearer {token}"')]


class SendSettings(SettingsModel):
    """Where stories and articles can be sent on: one POST of JSON with address and title (docs/guides/send.md)."""

    name: Name = Field(description="Name of the service, for the button and `watcher send`.")
    url: Place = Field(description='URL of the POST; "env:NAME" or "file:PATH" if it is secret.', repr=False)
    token: OptionalSecret = Field(default=None, description="Token for `header`; without one, the header is not sent.")
    header: Header = Field(default="Authorization: Bearer {token}", description="Header that has the token.")
    body: Annotated[str, AfterValidator(_check_body)] = Field(
        default='{"url": {url}, "title": {title}}',
        description="The JSON to send; {url}, {title}, {tags}, {note}, {outlet} and {published} become values.",
        max_length=5_000,
    )
    must: bool = Field(
        default=False, description="Send each story that an edition of the daemon shows for a `must` phrase."
    )


class SendSection(SettingsList):
    """The services that stories and articles can be sent on to, one table each."""

    root: tuple[SendSettings, ...]

    @classmethod
    def cross_field_issues(cls, data: object, document: Mapping[str, object]) -> Iterable[ValidationIssue]:
        yield from find_duplicates(data, "name", what="name")
