"""What the page of a story or an article offers to do with it: keep it, send it to a service, take a pack of it."""

from typing import Any

from digests.errors import DigestError
from digests.render.pack import zip_files
from digests.settings.send import SendSection
from digests.store.outbox import FAILED, deliveries_of_item
from digests.stories.marks import find_mark
from digests.stories.pack import load_pack
from digests.stories.send import send_item
from watcher.store.writer import read, write
from watcher.web.site import NotFound, PageRequest, PageResponse, Site

STATE_WORDS = {"sent": "sent", "failed": "could not be sent", "unknown": "may have arrived"}


def load_actions(site: Site, kind: str, key: str) -> dict[str, Any]:
    """Return for the page of a story or an article its mark, the services it can be sent to, and what was sent."""
    services = [service.name for service in site.settings.section(SendSection).root]
    deliveries = read(site.engine, deliveries_of_item, f"{kind} {key}") if services else ()
    done = {each.recipient for each in deliveries if each.state != FAILED}
    sent = [(each.recipient, STATE_WORDS.get(each.state, "waiting"), each.response) for each in deliveries]
    mark, unsent = read(site.engine, find_mark, kind, key), [name for name in services if name not in done]
    return {"mark": mark, "services": unsent, "sent": sent}


def send_from_form(site: Site, ask: PageRequest) -> PageResponse:
    """Put a story or an article into the outbox. Errors: DigestError, for an unknown service."""
    services = [each for each in site.settings.section(SendSection).root if each.name == ask.form.get("to")]
    if not services:
        raise DigestError("The settings name no such service.")
    kind, _, key = write(site.engine, send_item, services, ask.params["item"], now=site.now()).partition(" ")
    return PageResponse(redirect_to=f"/{kind}/{key}")


def story_pack(site: Site, ask: PageRequest) -> PageResponse:
    """Return the pack of a story as a ZIP archive. Errors: NotFound."""
    try:
        pack = read(site.engine, load_pack, site.settings, ask.params["story"][:200], now=site.now())
    except DigestError as error:
        raise NotFound(str(error)) from error
    return PageResponse(body=zip_files(pack), media_type="application/zip")
