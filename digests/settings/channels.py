"""The delivery channels, of Watcher and of plug-ins; the channel of a table `deliver` decides which keys it has."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeAlias

from digests.settings.channel import DeliverSettings
from watcher.errors import PluginError
from watcher.plugins import load_plugins
from watcher.settings.base import ValidationIssue, find_duplicates, raw_rows, union_by
from watcher.settings.types import quote_value

CHANNEL_ENTRY_POINTS = "watcher.channels"  # entry points: name = the channel, value = "module:Model"
# The channels of Watcher: module and model of each. A plug-in adds others.
CHANNELS: Mapping[str, str] = {
    "file": "digests.delivery.file:FileDeliverSettings",
    "maildir": "digests.delivery.maildir:MaildirDeliverSettings",
    "smtp": "digests.delivery.smtp:SmtpDeliverSettings",
    "sendmail": "digests.delivery.sendmail:SendmailDeliverSettings",
    "webhook": "digests.delivery.webhook:WebhookDeliverSettings",
    "apprise": "digests.delivery.apprise:AppriseDeliverSettings",
}


@cache
def channel_models() -> dict[str, type[DeliverSettings]]:
    """Return the model of each channel's settings, by the channel's name. Errors: PluginError."""
    targets = {name: target.split(":") for name, target in CHANNELS.items()}
    models = {name: getattr(import_module(module), model) for name, (module, model) in targets.items()}
    for name, model in load_plugins(CHANNEL_ENTRY_POINTS, "the channel of"):
        if not (isinstance(model, type) and issubclass(model, DeliverSettings)):
            raise PluginError(f"the channel {name}: {model!r} is not a DeliverSettings")
        if name in CHANNELS:
            raise PluginError(f"the channel {name} is watcher's own; a package cannot add it")
        models[name] = model
    return models


def cross_field_issues(rows: object, mail: object, document: Mapping[str, object]) -> Iterator[ValidationIssue]:
    """Yield the faults between a digest's channels, and between them and other tables, such as `mail` and `[smtp]`."""
    models = channel_models()
    for field, what in {pair for model in models.values() for pair in model.unique.items()}:
        yield from find_duplicates(rows, field, what=what)
    head = mail if isinstance(mail, Mapping) else {}
    for n, row in raw_rows(rows):
        channel = row.get("channel")
        if model := models.get(channel) if isinstance(channel, str) else None:
            for missing in model.find_missing(row, head, document):
                message = f"got {quote_value(channel)} without {missing}"
                yield ValidationIssue(loc=(n, "channel"), message=message, missing=True)


# Of a table `deliver`, and the name of a channel; plug-ins add to both.
if TYPE_CHECKING:
    AnyDeliverSettings: TypeAlias = DeliverSettings
    ChannelName: TypeAlias = str
else:
    AnyDeliverSettings = union_by("channel", channel_models())
    ChannelName = Literal[tuple(channel_models())]
