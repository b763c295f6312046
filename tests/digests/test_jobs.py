"""The daemon's job for the digests, with a clock of the test's."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import text, update

from digests.edition.schedule import EditionRequest
from digests.jobs import jobs
from digests.model.delivery import OutboundMessage, Rendered
from digests.settings.digests import digests_of
from digests.store.editions import claim, first_seen, get_edition
from digests.store.keys import DAILY, EditionKey, parse_slot
from digests.store.outbox import deliveries_of, enqueue
from digests.store.stories import current_version
from tests.delivery.mail_server import MailServer
from tests.edition.factory import make_edition
from tests.kinds import on
from tests.tools import add_article, tools_of
from watcher.features.extract import encode, extract_features
from watcher.model import Article, PackedFeatures, Source
from watcher.net.client import Client
from watcher.settings.load import load_settings_file, parse_settings
from watcher.store.engine import open_store
from watcher.store.feeds import sync_sources
from watcher.store.schema import feeds
from watcher.store.writer import Writer, read, write
from watcher.worker.process_pool import Pool

pytestmark = pytest.mark.slow  # starts worker processes

SETTINGS = """
[store]
url = "sqlite:///watcher.db"
[[digests]]
name = "berlin"
at = "06:30"
timezone = "Europe/Berlin"
directory = "out/berlin"
[[digests]]
name = "lima"
at = "06:30"
timezone = "America/Lima"
"""


BESIDE = SETTINGS.partition("[[digests]]")[0]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(workers=1)
    yield pool
    pool.close()


@pytest.fixture
async def daemon(tmp_path, store_url, pool):
    path = tmp_path / "settings.toml"
    path.write_text(on(store_url, SETTINGS))
    settings = load_settings_file(path)
    clock = [datetime(2026, 10, 24, 0, 0, tzinfo=UTC)]
    writer = Writer(open_store(settings.store.url))
    async with Client(user_agent="Watcher/0") as client:
        tools = tools_of(writer, client, pool, poll=settings.poll, fetch=settings.fetch, now=lambda: clock[0])
        yield settings, tools, clock
    writer.close()
    writer.engine.dispose()


async def test_each_digest_is_made_once_a_date_at_its_own_local_time(daemon, tmp_path):
    settings, tools, clock = daemon
    job, *_ = jobs(settings, tools)
    end = clock[0] + timedelta(days=3)

    while clock[0] < end:  # the night of the 25th has 25 hours in Berlin
        await job.run()
        clock[0] += timedelta(minutes=30)

    made = {
        name: [
            read(tools.writer.engine, lambda c, name=name, day=day: get_edition(c, name, local_date=day))
            for day in (datetime(2026, 10, 24 + n, tzinfo=UTC).date() for n in range(3))
        ]
        for name in ("berlin", "lima")
    }
    utc = {name: [edition.window_end.strftime("%d %H:%M") for edition in editions] for name, editions in made.items()}
    assert utc == {
        "berlin": ["24 04:30", "25 05:30", "26 05:30"],
        "lima": ["24 11:30", "25 11:30", "26 11:30"],
    }
    assert {p.parent.name for p in (tmp_path / "out").rglob("*.md")} == {"berlin", "out"}
    assert len(list((tmp_path / "out").rglob("*.eml"))) == 6


async def test_an_edition_missed_by_a_sleep_is_made_late_and_says_so(daemon):
    settings, tools, clock = daemon
    job, *_ = jobs(settings, tools)
    await job.run()

    clock[0] = datetime(2026, 10, 24, 9, 0, tzinfo=UTC)  # four and a half hours after Berlin's time
    await job.run()

    edition = read(tools.writer.engine, get_edition, "berlin", local_date=clock[0].date())
    assert edition is not None
    assert edition.ledger.late_s == pytest.approx(4.5 * 3600)


async def test_an_edition_whose_node_died_is_made_by_the_one_that_its_job_comes_to(daemon, caplog):
    caplog.set_level(logging.INFO, logger="digests")
    settings, tools, clock = daemon
    clock[0] = datetime(2026, 10, 24, 4, 30, tzinfo=UTC)
    editions, *_ = jobs(settings, tools)
    day, engine = clock[0].date(), tools.writer.engine
    write(engine, first_seen, "berlin", now=clock[0])
    window = (clock[0] - timedelta(days=1), clock[0])
    assert await editions.background_task.wanted() == ("berlin/2026-10-24",)
    key = EditionKey(digest="berlin", local_date=day)
    assert write(engine, claim, key, window=window, by="elsewhere:7:mark", now=clock[0])

    clock[0] += timedelta(seconds=25)
    await editions.background_task.do("berlin/2026-10-24")
    assert read(engine, get_edition, "berlin", local_date=day) is None
    assert caplog.records == []  # nothing was built here
    assert await editions.background_task.wanted() == ("berlin/2026-10-24",)
    clock[0] += timedelta(seconds=6)
    await editions.background_task.do("berlin/2026-10-24")

    assert read(engine, get_edition, "berlin", local_date=day) is not None
    assert await editions.background_task.wanted() == ()


OUTBOX = """
[smtp]
host = "127.0.0.1"
port = {port}
security = "plain"
[[digests]]
name = "berlin"
at = "06:30"
timezone = "Europe/Berlin"
mail = {{ from = "news@example.org", to = ["ann@example.net"] }}
deliver = [{{ channel = "smtp" }}]
"""


async def test_an_edition_is_sent_as_soon_as_it_is_made_and_once(daemon, tmp_path, caplog):
    given, tools, clock = daemon
    clock[0] = datetime(2026, 10, 24, 4, 30, tzinfo=UTC)
    with MailServer() as server, caplog.at_level(logging.INFO, logger="digests"):
        settings = parse_settings(on(given.store.url, BESIDE + OUTBOX.format(port=server.port)), tmp_path / "s.toml")
        editions, outbox, *_ = jobs(settings, tools)
        write(tools.writer.engine, first_seen, "berlin", now=clock[0])

        for _ in range(3):
            await editions.run()
            await outbox.run()

    assert [mail.recipient for mail in server.taken] == ["ann@example.net"]
    (line,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("delivered")]
    assert line.startswith("delivered digest=berlin date=2026-10-24 channel=smtp to=ann@example.net attempts=1")


async def test_a_digest_with_two_times_a_day_is_made_and_sent_at_both_but_not_on_its_days_off(daemon, tmp_path):
    given, tools, clock = daemon
    clock[0] = friday = datetime(2026, 10, 23, 4, 30, tzinfo=UTC)
    with MailServer() as server:
        text = OUTBOX.format(port=server.port).replace('"06:30"', '["06:30", "17:00"]\ndays = "mon-fri"')
        settings = parse_settings(on(given.store.url, BESIDE + text), tmp_path / "s.toml")
        editions, outbox, *others = jobs(settings, tools)
        write(tools.writer.engine, first_seen, "berlin", now=friday)

        await editions.run()
        await outbox.run()
        clock[0] = friday + timedelta(hours=10, minutes=30)
        assert await editions.background_task.wanted() == ("berlin/2026-10-23/17:00",)
        await editions.background_task.do("berlin/2026-10-23/17:00")
        await outbox.run()
        clock[0] = friday + timedelta(days=1, hours=2)
        await editions.run()
        clock[0] = friday + timedelta(days=3, hours=1)  # Monday; the clocks went back on Sunday
        await editions.run()
        await outbox.run()

    mails = [mail.body for mail in server.taken]
    ids = {line for body in mails for line in body.split(b"\r\n") if line.startswith(b"Message-ID")}
    assert (len(mails), len(ids)) == (3, 3)
    names = sorted(path.name for path in (tmp_path / "out").glob("*.md"))
    assert names == ["2026-10-23-1700.md", "2026-10-23.md", "2026-10-26.md"]
    latest = read(tools.writer.engine, get_edition, "berlin")
    assert latest.window_start == friday + timedelta(hours=10, minutes=30)
    assert (latest.previous_at, latest.ledger.late_s, latest.ledger.longer_window) == (time(17, 0), 0.0, False)
    assert [job.name for job in others if job.cron] == ["digest berlin", "digest berlin 17:00"]


async def test_a_daemon_that_ends_leaves_a_server_that_hangs_and_the_mail_stays_owed(daemon, tmp_path):
    given, tools, clock = daemon
    with MailServer(at={"MAIL": "hang"}) as server:
        settings = parse_settings(on(given.store.url, BESIDE + OUTBOX.format(port=server.port)), tmp_path / "s.toml")
        _, outbox, *_ = jobs(settings, tools)
        place = EditionKey(digest="berlin", local_date=clock[0].date(), slot=DAILY)
        mail = Rendered(format="eml", name="x.eml", body=b"Subject: x\r\n\r\n")
        parcel = OutboundMessage(channel="smtp", recipient="ann@example.net", forms=(mail,))
        write(tools.writer.engine, enqueue, place, [parcel], now=clock[0])
        running = asyncio.create_task(outbox.run())
        while not any(line.startswith("mail") for line in server.seen):
            await asyncio.sleep(0.05)

        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        (row,) = read(tools.writer.engine, deliveries_of, place)
        while row.state == "sending":  # a thread still stores what became of it
            await asyncio.sleep(0.05)
            (row,) = read(tools.writer.engine, deliveries_of, place)
        assert (row.state, row.response.partition(" ")[2]) == ("waiting", "cannot be reached: interrupted")


async def run_until(job, clock, end: datetime, step: timedelta = timedelta(minutes=5)) -> None:
    while clock[0] < end:
        await job.run()
        clock[0] += step


def edition_of(tools, name: str, day: datetime):
    return read(tools.writer.engine, get_edition, name, local_date=day.date())


async def test_an_edition_made_on_time_covers_the_time_up_to_when_it_was_due(daemon):
    settings, tools, clock = daemon
    job, *_ = jobs(settings, tools)
    clock[0] = datetime(2026, 10, 24, 4, 2, tzinfo=UTC)

    await run_until(job, clock, datetime(2026, 10, 24, 5, 0, tzinfo=UTC))

    edition = edition_of(tools, "berlin", clock[0])
    assert edition.window_end == datetime(2026, 10, 24, 4, 30, tzinfo=UTC)
    assert edition.made_at == datetime(2026, 10, 24, 4, 32, tzinfo=UTC)
    assert edition.ledger.late_s == 0


async def test_after_a_start_an_edition_waits_for_the_news_of_the_night_but_not_for_ever(daemon):
    settings, tools, clock = daemon
    job, *_ = jobs(settings, tools)
    clock[0] = due = datetime(2026, 10, 24, 4, 31, tzinfo=UTC)
    source = Source(url="https://news.example/feed.xml", name="The News", language="en")
    write(tools.writer.engine, sync_sources, [source], now=clock[0])

    await run_until(job, clock, due + timedelta(minutes=14))
    assert edition_of(tools, "berlin", clock[0]) is None

    await run_until(job, clock, due + timedelta(minutes=20))
    assert edition_of(tools, "berlin", clock[0]).window_end == due + timedelta(minutes=15)


async def test_after_a_start_an_edition_is_made_as_soon_as_nothing_is_left_to_ask_for(daemon):
    settings, tools, clock = daemon
    job, *_ = jobs(settings, tools)
    clock[0] = due = datetime(2026, 10, 24, 4, 31, tzinfo=UTC)
    source = Source(url="https://news.example/feed.xml", name="The News", language="en")
    write(tools.writer.engine, sync_sources, [source], now=clock[0])
    await job.run()
    later = update(feeds).where(feeds.c.id == 1).values(next_poll_at=clock[0] + timedelta(hours=1))
    write(tools.writer.engine, lambda c: c.execute(later))

    clock[0] += timedelta(minutes=2)
    await job.run()

    assert edition_of(tools, "berlin", clock[0]).window_end == due + timedelta(minutes=2)


async def test_a_digest_that_fails_is_tried_less_and_less_often_and_others_do_not_wait(daemon, tmp_path, caplog):
    settings, tools, clock = daemon
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "berlin").write_text("a file where the folder of the editions should be")
    job, *_ = jobs(settings, tools)
    clock[0] = datetime(2026, 10, 24, 11, 29, tzinfo=UTC)  # Berlin's is seven hours late, Lima's is due in a minute

    await run_until(job, clock, datetime(2026, 10, 24, 11, 43, 30, tzinfo=UTC), timedelta(seconds=20))

    failed = [record for record in caplog.records if record.message.startswith("edition_failed digest=berlin")]
    assert len(failed) == 4  # after 0, 1, 3 and 7 minutes; the next is after 15
    assert edition_of(tools, "lima", clock[0]) is not None
    assert edition_of(tools, "berlin", clock[0]) is None

    (tmp_path / "out" / "berlin").unlink()
    await run_until(job, clock, clock[0] + timedelta(minutes=1), timedelta(seconds=20))
    assert edition_of(tools, "berlin", clock[0]) is not None


async def test_a_digest_that_failed_while_the_clock_was_ahead_is_tried_again(daemon, tmp_path):
    settings, tools, clock = daemon
    job, *_ = jobs(settings, tools)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "berlin").write_text("a file where the folder of the editions should be")
    due = datetime(2026, 10, 24, 4, 31, tzinfo=UTC)
    clock[0] = due + timedelta(hours=6)
    await job.run()

    clock[0] = due
    (tmp_path / "out" / "berlin").unlink()
    await job.run()

    assert edition_of(tools, "berlin", clock[0]) is not None


async def test_the_daily_edition_takes_the_plain_name_of_its_date(daemon, tmp_path):
    settings, tools, clock = daemon
    job, *_ = jobs(settings, tools)
    (digest,) = (digest for digest in digests_of(settings) if digest.name == "berlin")
    clock[0] = datetime(2026, 10, 24, 4, 0, tzinfo=UTC)
    order = EditionRequest(
        local_date=clock[0].date(),
        window_start=clock[0] - timedelta(days=1),
        window_end=clock[0],
        slot=parse_slot("06:00"),
    )
    folder = tmp_path / "out" / "berlin"
    make_edition(tools.writer.engine, digest, replace(order, folder=folder), now=clock[0])
    names = {path.name: path.read_bytes() for path in folder.iterdir()}

    await run_until(job, clock, datetime(2026, 10, 24, 4, 40, tzinfo=UTC))

    assert {path.name for path in folder.iterdir()} == set(names)
    assert all((folder / name).read_bytes() != body for name, body in names.items())


async def test_an_edition_is_made_though_a_newer_watcher_has_changed_the_tables(daemon):
    settings, tools, clock = daemon
    job, *_ = jobs(settings, tools)
    place(tools, clock[0], 1, QUAKE)
    clock[0] = datetime(2026, 10, 24, 4, 30, tzinfo=UTC)

    for table in ("watcher_schema", "digests_schema"):
        write(tools.writer.engine, lambda c, table=table: c.execute(text(f"UPDATE {table} SET version_num = '9999'")))
    await job.run()

    assert edition_of(tools, "berlin", clock[0]) is not None


@pytest.mark.xfail(strict=True, reason="sixty invented reports of one title are several stories (decision 0062)")
async def test_an_edition_is_logged_with_the_share_of_its_largest_story(daemon, caplog):
    settings, tools, clock = daemon
    job, *_ = jobs(settings, tools)
    for n in range(120):
        place(tools, clock[0] - timedelta(minutes=n), n, QUAKE if n < 60 else odd_words(n, 5))
    clock[0] = datetime(2026, 10, 24, 4, 30, tzinfo=UTC)

    with caplog.at_level(logging.INFO, logger="digests"):
        await job.run()

    edition = edition_of(tools, "berlin", clock[0])
    largest = edition.ledger.largest
    lines = {record.levelname: record.getMessage() for record in caplog.records}
    assert lines["INFO"].startswith(
        f"edition_built digest=berlin date=2026-10-24 stories={len(edition.stories)} largest_share="
        f"{largest.share:.3g} files="
    )
    assert lines["WARNING"].startswith(
        f"oversized_story digest=berlin date=2026-10-24 story={largest.id} largest_share="
    )
    assert f"reports={largest.reports} of_reports=120 title=" in lines["WARNING"]


QUAKE = "Quake shakes Tarvola: houses collapse in Marnitz, rescuers search the Dressel valley"
LETTERS = str.maketrans("0123456789abcdef", "bdfgklmnprstvaeo")


def odd_words(seed: int, count: int) -> str:
    """Return words that no other text has."""
    digests = (hashlib.sha256(f"{seed} {n}".encode()).hexdigest()[:9] for n in range(count))
    return " ".join(digest.translate(LETTERS) for digest in digests)


def place(tools, at: datetime, n: int, title: str) -> None:
    text = f"{title}. {odd_words(-n - 1, 12)}"
    article = Article(
        id=f"{n:016x}", url=f"https://p{n}.example/{n}", host=f"p{n}.example", outlet=f"P{n}", title=title, text=text,
        language="en", country=None, published_at=at, fetched_at=at,
    )  # fmt: skip
    made = extract_features(article.id, title=title, text=text, language="en")
    packed = PackedFeatures(version=made.version, payload=encode(made))
    write(tools.writer.engine, add_article, article, feed_id=1, packed=packed, block_hashes=())


ALERTS = f"""{BESIDE}
[[digests]]
name = "berlin"
at = "06:30"
deliver = [{{ channel = "file", directory = "told" }}]
[[digests.alerts]]
words = ["tarvola"]
channels = ["file"]
"""


async def test_stories_are_looked_at_for_alerts_only_after_new_articles(daemon, tmp_path):
    settings, tools, clock = daemon
    assert "story alerts" not in [job.name for job in jobs(settings, tools)]
    settings = parse_settings(ALERTS.replace("sqlite:///watcher.db", settings.store.url), tmp_path / "settings.toml")
    (job,) = (job for job in jobs(settings, tools) if job.name == "story alerts")
    looks = lambda: read(tools.writer.engine, current_version).number  # noqa: E731

    for _ in range(3):
        await job.run()
    assert looks() == 1
    place(tools, clock[0] - timedelta(minutes=1), 1, QUAKE)
    (job,) = (
        job for job in jobs(settings, tools) if job.name == "story alerts"
    )  # as after a restart: it need not rest
    for _ in range(3):
        await job.run()

    assert looks() == 2
    assert [path.read_text().splitlines()[0] for path in (tmp_path / "told").iterdir()] == [QUAKE]
