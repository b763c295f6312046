"""One run of the main job on the sample press: polled twice over real HTTP, grouped, and made into an edition."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Row, select

from digests.cluster.stories import cluster_stories
from digests.edition.build import build_edition
from digests.edition.schedule import EditionRequest, edition_window
from digests.model.edition import Edition
from digests.model.story import Story
from digests.settings.digests import digests_of
from digests.store.editions import open_digests
from digests.store.keys import Slot, SlotKind
from digests.stories.window import load_items
from tests.demo_press import DemoRequest, Label, PressServer, labels
from tests.kinds import on
from tests.tools import articles_between
from watcher.cli.poll import PollSummary, run_poll
from watcher.model import Article
from watcher.settings.load import load_settings_file
from watcher.store.schema import pages
from watcher.store.writer import read

HEAD = """[store]
url = "sqlite:///watcher.db"

[semantic]
embedder = "{embedder}"

[[digests]]
name = "test"
stories = 40
briefs = 40
directory = "out"
reads = ["en", "de", "es", "fr", "it", "pt", "ru", "ar", "ja", "zh"]

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of it. Articles and stories are named by the press's own keys."""

    settings: Path
    first: PollSummary
    second: PollSummary
    pages_left: dict[str, str]  # after the first pass: why each page is still to be fetched, by URL
    requests: tuple[DemoRequest, ...]
    articles: dict[str, Article]  # by label key
    keys: dict[str, str]  # label key by article id
    labels: dict[str, Label]
    stories: tuple[Story, ...]
    edition: Edition
    files: dict[str, bytes]  # by ending


def select_pages(connection: Connection) -> Sequence[Row]:
    return connection.execute(select(pages)).all()


def run_press(folder: Path, store_url: str, *, embedder: str = "auto") -> Run:
    """Do it all in `folder`."""
    return asyncio.run(_run(folder, store_url, embedder))


async def _run(folder: Path, store_url: str, embedder: str) -> Run:
    now = datetime.now(UTC)
    async with PressServer(now=now) as press:
        path = folder / "settings.toml"
        head = on(store_url, HEAD.format(embedder=embedder))
        path.write_text(head + press.settings_toml(host_delay="0.1s"), encoding="utf-8")
        settings = load_settings_file(path)
        engine = open_digests(settings.store.url)
        first = await run_poll(settings, engine, everything=True, quiet=True)
        pages_left = {row.url: f"{row.tries} tries, {row.reason}" for row in read(engine, select_pages)}
        second = await run_poll(settings, engine, everything=True, quiet=True)
        end = datetime.now(UTC)
        found = read(engine, articles_between, start=now - timedelta(days=9), end=end)
        keys = {article.id: press.key(article.url) for article in found}
        requests = tuple(press.requests)
    made = list(read(engine, load_items, found).values())
    (digest_settings,) = digests_of(settings)
    start, end = edition_window(engine, digest_settings, end=end)
    request = EditionRequest(
        local_date=end.date(), window_start=start, window_end=end, slot=Slot(kind=SlotKind.DEMO), folder=folder / "out"
    )
    built = build_edition(engine, digest_settings, request, now=end)
    engine.dispose()
    assert built is not None
    return Run(
        settings=path,
        first=first,
        second=second,
        pages_left=pages_left,
        requests=requests,
        articles={keys[article.id]: article for article in found},
        keys=keys,
        labels=labels(),
        stories=cluster_stories(made),
        edition=built.edition,
        files={path.suffix: path.read_bytes() for path in built.files},
    )
