"""A small press in a store: sources with polls, articles in four scripts, and the editions of two days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zlib import crc32

from sqlalchemy import Engine, update

from digests.edition.schedule import EditionRequest
from digests.settings.digests import digests_of
from digests.settings.translate import TranslateSettings
from digests.store.editions import open_digests
from digests.store.keys import DAILY
from digests.store.schema import stories
from tests.edition.factory import make_edition
from tests.kinds import on
from tests.tools import add_article
from watcher.errors import status_reason
from watcher.features.embedders import load_embedder
from watcher.features.extract import encode, extract_features
from watcher.model import Article, EntryChanges, PackedFeatures, PollFailed, PollSucceeded, RemovedBlock, Validators
from watcher.settings.load import load_settings_file
from watcher.settings.models import Settings, read_token
from watcher.store.feeds import feed_states, sync_sources
from watcher.store.polls import record_polls
from watcher.store.writer import read, write
from watcher.web.app import make_app
from watcher.web.auth import AuthMiddleware
from watcher.web.site import Site, load_site_plugins

NOW = datetime(2026, 11, 25, 7, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TOML = """[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "none"
[[digests]]
name = "world"
title = "World Digest"
timezone = "Europe/Vienna"
{digest}
[digests.mail]
to = ["reader@example.org"]
{more}
[[sources]]  # the first
url = "https://harbour.example/feed"
name = {harbour}
language = "en"
country = "GB"
[[sources]]
url = "https://nile.example/feed"
name = "أخبار الوادي"
language = "ar"
country = "EG"
[[sources]]
url = "https://reader:hush@minato.example/feed"
name = "みなと新報"
language = "ja"
country = "JP"
"""
QUAKE = (
    "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, mayor Henrik Oster said {}. "
    "Some 1,800 people slept in tents near the Dressel bridge, and schools stay closed until Friday."
)
TENTS = (
    "Tarvola sleeps in tents after quake. Families in the Dressel valley spent the night in tents after a quake of "
    "magnitude 5.4 hit Tarvola. Mayor Henrik Oster told our reporter that the bridge would be looked over by engineers."
)
CHESS = "Brindle wins the Varga cup. The chess club of Brindle won the Varga cup in Lunden, captain Petra Moll said {}."
LATER = (
    "Quake shakes Tarvola again. A second quake of magnitude 5.1 shook Tarvola on Wednesday, mayor Henrik Oster said "
    "{}. Some 2,300 people now sleep in tents near the Dressel bridge, and engineers closed it to lorries."
)
BRIDGE = (
    "Tarvola bridge closed after second quake. Engineers closed the Dressel bridge to lorries after a second quake of "
    "magnitude 5.1 hit Tarvola. Mayor Henrik Oster asked for more tents."
)
FERRY = (
    "Ferry runs aground off Marlow. The ferry Anna Lund ran aground off Marlow with 212 passengers, captain Joris "
    "Blake said. Nobody was hurt."
)
NEWS = (
    ("Harbour Post", "en", "GB", LATER.format("to the Post")),
    ("Prairie Ledger", "en", "CA", LATER.format("to the Post")),
    ("Karoo Standard", "en", "ZA", BRIDGE),
    ("Tasman Courier", "en", "NZ", FERRY),
)
TEXTS = (
    ("Harbour Post", "en", "GB", QUAKE.format("to the Post")),
    ("Prairie Ledger", "en", "CA", QUAKE.format("to the Post")),
    ("Karoo Standard", "en", "ZA", TENTS),
    ("Tasman Courier", "en", "NZ", CHESS.format("at home")),
    ("أخبار الوادي", "ar", "EG", "افتتاح جسر جديد فوق النيل. قال الوزير إن الجسر يختصر الطريق إلى المدينة."),
    ("みなと新報", "ja", "JP", "港に新しい灯台が完成。市長は開所式で、船の安全が高まると述べた。"),
)


def settings_in(
    folder: Path,
    more: str = "",
    harbour: str = "Harbour Post",
    store_url: str = "sqlite:///watcher.db",
    digest: str = "",
) -> Settings:
    """Write settings.toml into `folder` and return what it says."""
    import json

    path = folder / "settings.toml"
    text = TOML.format(more=more, harbour=json.dumps(harbour), digest=digest)
    path.write_text(on(store_url, text), encoding="utf-8")
    return load_settings_file(path)


def put(engine: Engine, key: str, *, outlet: str, language: str, country: str, text: str, at: datetime, **more) -> str:
    """Store an article with its features, of the outlet's own site; return its id."""
    host = f"outlet{crc32(outlet.encode())}.example"
    article = Article(
        **{
            "id": key, "url": f"https://{host}/{key}", "host": host, "outlet": outlet,
            "title": text.split(". ")[0].split("。")[0], "text": text.replace(". ", ".\n"), "language": language,
            "country": country, "published_at": at, "fetched_at": at,
            "removed": (RemovedBlock(rule="teasers", text="Read also: ten walks"),),
        }
        | more
    )  # fmt: skip
    made = extract_features(key, title=article.title, text=article.text, language=language)
    packed = PackedFeatures(version=made.version, payload=encode(made))
    write(engine, add_article, article, feed_id=1, packed=packed, block_hashes=())
    return key


def filled(folder: Path, more: str = "", days=((1, TEXTS), (0, NEWS)), **given) -> tuple[Settings, Engine]:
    """Return settings in `folder` and a store of the press: an edition a day, the sources polled."""
    settings = settings_in(folder, more, **given)
    engine = open_digests(settings.store.url)
    write(engine, sync_sources, settings.active_sources(), now=NOW - 2 * DAY)
    for day, texts in days:
        for n, (outlet, language, country, text) in enumerate(texts):
            at = NOW - day * DAY - (n + 1) * HOUR
            put(engine, f"{day}{n:015x}", outlet=outlet, language=language, country=country, text=text, at=at)
        edition(settings, engine, day)
    poll(engine)
    return settings, engine


def edition(settings: Settings, engine: Engine, day: int = 0):
    """Make the edition of so many days ago."""
    end = NOW - day * DAY
    order = EditionRequest(
        local_date=date(2026, 11, 25) - day * DAY,
        window_start=end - DAY,
        window_end=end,
        slot=DAILY,
        translate=settings.section(TranslateSettings),
    )
    return make_edition(engine, digests_of(settings)[0], order, now=end)


def set_quake_vectors(engine: Engine) -> None:
    """Give the stories of several reports one vector: those of two quakes are as near in meaning as can be."""
    embedder = load_embedder("built-in")
    vector = {"vector": embedder.embed(["Quake shakes Tarvola"])[0], "vector_model": embedder.name}
    of_quakes = update(stories).where(stories.c.size > 1).values(vector)
    write(engine, lambda connection: connection.execute(of_quakes))


def poll(engine: Engine) -> None:
    """Record a poll of each source; the last one fails."""
    *well, ill = (state.feed for state in read(engine, feed_states))
    at, later = NOW - HOUR, NOW + HOUR
    results = [
        (
            feed,
            PollSucceeded(
                at=at, next_poll_at=later, interval_s=1800.0, validators=Validators(),
                changes=EntryChanges(new=(), changed=(), unchanged=3), moved_to=None, took_s=0.2,
            ),
        )
        for feed in well
    ]  # fmt: skip
    failed = PollFailed(at=at, next_poll_at=later, reason=status_reason(503))
    write(engine, record_polls, [*results, (ill, failed)])


def site_of(settings: Settings, engine: Engine, *, now: datetime = NOW, **more) -> Site:
    """Return the site, its clock at `now`."""
    return Site(settings=settings, engine=engine, plugins=load_site_plugins(settings, engine), now=lambda: now, **more)


def app_of(site: Site, clock=lambda: 0.0):
    """Return the app of a site; its limits' clock stands still."""
    token = read_token(site.settings.web.token, "[web] token")
    return AuthMiddleware(make_app(site, clock=clock), token=token, clock=clock)
