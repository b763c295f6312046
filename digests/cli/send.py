"""`watcher send`: sends a story or an article on to the services of `[[send]]`."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

from typer import Argument, Option

from digests.cli.lookup import check_names, parse_story_id
from digests.cli.status import delivery_to_json, format_state
from digests.delivery.outbox import OutboxWorker
from digests.errors import DigestError
from digests.settings.send import SendSection
from digests.store.editions import open_digests
from digests.store.outbox import SENT, Delivery, deliveries_of_item
from digests.stories.send import send_item
from watcher.cli.commands import DONE, FAILED, PARTLY
from watcher.cli.options import Config, Json, closing_store, load_settings
from watcher.cli.output import print_result
from watcher.store.writer import read, write
from watcher.text.plain_text import to_one_line

STATE_CHARS = 300


def send(
    wanted: Annotated[str, Argument(metavar="STORY|ARTICLE", help="A story, or the id or URL of an article.")],
    to: Annotated[list[str] | None, Option("--to", help="Name of the service; by default, all.")] = None,
    config: Config = None,
    json: Json = False,
) -> int:
    """
    Send a story or an article on to the services in the settings ([[send]]), such as a read-it-later service.

    A service gets each story and article once: what it has already is not sent again. If it fails, the error of the
    service is shown; after an error that may pass, the daemon tries again for 36 hours.
    """
    settings = load_settings(config)
    services = {service.name: service for service in settings.section(SendSection).root}
    if not services:
        raise DigestError("the settings name no service to send to", hint="add a [[send]] table to settings.toml")
    names = check_names(to, [*services], option="--to") or tuple(services)
    with closing_store(open_digests(settings.store.url, make=False)) as engine:
        key = read(engine, parse_story_id, settings, wanted)
        item = write(engine, send_item, [services[name] for name in names], key, now=datetime.now(UTC))
        for each in {delivery.key for delivery in read(engine, deliveries_of_item, item)}:
            list(OutboxWorker(engine, settings).send_due(each))
        deliveries = [each for each in read(engine, deliveries_of_item, item) if each.recipient in names]
    print_result([delivery_to_json(each) for each in deliveries], _format_deliveries(item, deliveries), json=json)
    count = sum(each.state == SENT for each in deliveries)
    return DONE if count == len(deliveries) else PARTLY if count else FAILED


def _format_deliveries(item: str, deliveries: Sequence[Delivery]) -> Iterator[str]:
    yield f"{item}:"
    for delivery in deliveries:
        yield f"  {delivery.recipient}: {to_one_line(format_state(delivery), STATE_CHARS)}"
        if delivery.hint:
            yield f"    try: {to_one_line(delivery.hint, STATE_CHARS)}"
