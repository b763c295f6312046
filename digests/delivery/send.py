"""Sends a story or an article on to a service of `[[send]]`: one POST, by the outbox."""

import json
from dataclasses import dataclass

from digests.delivery.webhook import WebhookChannel, reveal_target
from digests.settings.send import SendSettings
from watcher.settings.models import Settings


class SendChannel(WebhookChannel):
    name = "send"

    def refuses(self, body: bytes) -> bool:
        """Whether a reply of success says in its JSON that nothing was saved, as those of Zotero and Raindrop do."""
        try:
            reply = json.loads(body)
        except ValueError:
            return False
        return isinstance(reply, dict) and (bool(reply.get("failed")) or reply.get("result") is False)


@dataclass(frozen=True, slots=True)
class SendRoute:
    """Opens the channel of a service."""

    service: SendSettings

    def open(self, settings: Settings, *, sender: str) -> SendChannel:
        """Return the channel. Errors: as `WebhookDeliverSettings.open`."""
        url, token = reveal_target(self.service.url, self.service.token, name=self.service.name)
        name, _, value = self.service.header.partition(": ")
        headers = {name: value.replace("{token}", token)} if token else {}
        return SendChannel(url, name=self.service.name, token=token, headers=headers)
