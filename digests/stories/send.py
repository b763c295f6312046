"""Puts stories and articles into the outbox for the services of `[[send]]`, each once for a service."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection

from digests.analysis.preferences import matching_phrases
from digests.errors import DigestError
from digests.model.edition import Edition
from digests.render.escape import sanitize_line, web_url
from digests.settings.send import SendSettings, fill_body
from digests.store import outbox
from digests.stories.marks import OUTLET_CHARS, find_item, load_reports
from watcher.store.articles import articles_by_id


def send_item(connection: Connection, services: Sequence[SendSettings], wanted: str, *, now: datetime) -> str:
    """
    Put a story or an article into the outbox for `services`; return its key there ("article 1f2e3d4c5b6a7988").

    What a service has, or waits for, is not sent again; what failed is tried again. Errors: as `stories.marks.keep`.
    """
    item, _ = find_item(connection, wanted, now=now)
    name = f"{item.kind} {item.id}"
    reports = [report for report in load_reports(connection, item) if web_url(report.url)]
    if not reports:
        raise DigestError(f"the {name} has no stored report with a web address, so it cannot be sent")
    article = next((report for report in reports if item.title in report.title), reports[0])
    values = {
        "url": web_url(article.url),
        "title": item.title,
        "tags": list(item.tags),
        "note": item.note,
        "outlet": sanitize_line(article.outlet, limit=OUTLET_CHARS),
        "published": f"{article.published_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    bodies = {service.name: fill_body(service.body, values).encode("utf-8", "replace") for service in services}
    outbox.enqueue_item(connection, name, bodies, now=now)
    return name


def send_must(
    connection: Connection, services: Sequence[SendSettings], phrases: Sequence[str], edition: Edition, *, now: datetime
) -> None:
    """Put the stories of an edition that have one of `phrases` into the outbox, but for those without a web address."""
    for story in edition.stories if services else ():
        if matching_phrases(phrases, articles_by_id(connection, story.article_ids).values()):
            with suppress(DigestError):
                send_item(connection, services, story.id, now=now)
