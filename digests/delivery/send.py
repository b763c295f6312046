"""Sends a story or an article on to a service of `[[send]]`: one POST, by the outbox."""

import json
from contextlib import suppress

from digests.delivery.webhook import WebhookChannel, reveal_target
from digests.settings.send import SendSettings
from watcher.settings.models import Settings


class SendChannel(WebhookChannel):
    name = "send"

    def refuses(self, body: bytes) -> bool:
        """Whether a reply of success says in its JSON that nothing was saved, as those of Zotero and Raindrop do."""
        with suppress(ValueError):
            reply = json.loads(body)
            return isinstance(reply, dict) and (bool(reply.get("failed")) or reply.get("result") is False)
        return False


def open_service(service: SendSettings, _settings: Settings) -> SendChannel:
    """Return the channel of a service. Errors: as `WebhookDeliverSettings.open`."""
    url, token = reveal_target(service.url, service.token, name=service.name)
    return SendChannel(url, name=service.name, token=token, header=service.header)
