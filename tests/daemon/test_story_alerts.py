"""Alerts on stories by the daemon: over HTTP from feeds to a web address, once, also if it is restarted."""

from __future__ import annotations

import json
import signal
import time
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from tests.delivery.hook import listening

pytestmark = pytest.mark.slow  # starts the program twice

OUTLETS = ("alfa", "bravo", "charlie")
TITLE = "Earthquake shakes harbour town of Tarvola"
TEXT = "A strong earthquake shook the harbour of Tarvola at dawn, said {0}. Rescuers of {0} count {1} houses that fell."
DIGEST = """[[digests]]
name = "world"
deliver = [{{ channel = "webhook", url = "{url}" }}]
[[digests.alerts]]
when = "outlets >= 3"
"""


def feed(site, name: str, number: int) -> str:
    text = TEXT.format(name, 20 + number)
    site.page(f"/{name}", f"<title>{TITLE}</title><article><h1>{TITLE}</h1><p>{text}</p></article>")
    entry = f"<item><title>{TITLE}</title><link>{site.url(f'/{name}')}</link><description>{text}</description>"
    entry += f"<pubDate>{format_datetime(datetime.now(UTC))}</pubDate></item>"
    site.feed(f"/{name}.xml", f"<rss version='2.0'><channel><title>{name}</title>{entry}</channel></rss>")
    return site.url(f"/{name}.xml")


def test_three_feeds_with_one_story_give_one_message_over_a_restart(site, write_settings, start):
    sources = {name: feed(site, name, number) for number, name in enumerate(OUTLETS)}
    with listening() as hook:
        settings = write_settings(sources, DIGEST.format(url=hook.url("/alerts")))

        assert start(settings, "--once").ended() == 0
        assert [json.loads(post.body)["subject"] for post in hook.posts] == [TITLE]
        daemon = start(settings)
        daemon.wait_for("started")
        time.sleep(2)
        daemon.send(signal.SIGKILL)

        assert daemon.ended() != 0
        assert len(hook.posts) == 1
