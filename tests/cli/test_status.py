"""`watcher status`: all sources by health on one screen, or all about one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from digests.cli.status import name_recipient
from watcher.cli.main import run_command_line
from watcher.cli.status import REASONS_SHOWN, SOURCES_SHOWN, _pick_unhealthy
from watcher.cli.status_source import SourceStatus, source_status
from watcher.errors import status_reason
from watcher.failure_messages import FeedKind, FetchKind, PageKind, Reason, TaskKind
from watcher.feeds.health import Health
from watcher.model import Entry, EntryChanges, PollFailed, PollSucceeded, Source, Validators
from watcher.settings.models import SourceSettings
from watcher.store.engine import open_store
from watcher.store.feeds import feed_state, sync_sources
from watcher.store.hosts import set_blocked_until
from watcher.store.outages import record_network_down, record_polling_stop
from watcher.store.pages import record_failure
from watcher.store.polls import _entry_article_id, record_polls
from watcher.store.writer import read, write

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
ESCAPE = "\x1b]0;owned\x07\x1b[2J\x9b31m"


class Shop:
    """A settings file and its store, filled by hand."""

    def __init__(self, folder, sources: dict[str, str], more: str, store_url: str) -> None:
        self.sources = [Source(url=url, name=name) for name, url in sources.items()]
        rows = "".join(
            f"[[sources]]\nname = {json.dumps(name)}\nurl = {url!r}\ncountry = 'FR'\n" for name, url in sources.items()
        )
        self.path = folder / "settings.toml"
        self.path.write_text(f'[store]\nurl = "{store_url}"\n[semantic]\nembedder = "none"\n{rows}{more}', "utf-8")
        self.engine = open_store(store_url)
        write(self.engine, sync_sources, self.sources, now=NOW - HOUR)

    def url(self, name: str) -> str:
        return next(source.url for source in self.sources if source.name == name)

    def state(self, name: str):
        return read(self.engine, feed_state, self.url(name))

    def fail(self, name: str, reason: Reason, *, at: datetime = NOW, **more) -> None:
        feed = self.state(name).feed
        result = PollFailed(at=at, next_poll_at=NOW + HOUR, reason=reason, **more)
        write(self.engine, record_polls, [(feed, result)])

    def read(self, name: str, *, at: datetime = NOW, entries: int = 2, **more) -> None:
        feed = self.state(name).feed
        numbers = range(entries)
        new = tuple(
            Entry(guid=f"{n}", url=f"{feed.url}/{n}", title="T", published_at=at - n * 26 * HOUR) for n in numbers
        )
        values = {
            "at": at, "next_poll_at": NOW + HOUR + timedelta(seconds=30), "interval_s": 1800.0,
            "validators": Validators(), "changes": EntryChanges(new=new, changed=(), unchanged=0), "moved_to": None,
            "took_s": 0.25,
        }  # fmt: skip
        result = PollSucceeded(**(values | more))
        write(self.engine, record_polls, [(feed, result)])


@pytest.fixture
def shop(tmp_path, store_url):
    made: list[Shop] = []

    def make(*names: str, more: str = "", **urls: str) -> Shop:
        sources = {name: f"https://{name.split()[0].lower()}.example/feed.xml" for name in names}
        made.append(Shop(tmp_path, sources | urls, more, store_url))
        return made[-1]

    yield make
    for one in made:
        one.engine.dispose()


@pytest.fixture
def status(capsys):
    def ask(shop: Shop, *arguments: str) -> str:
        assert run_command_line(["status", *arguments, "--config", str(shop.path)]) == 0
        lines = capsys.readouterr().out.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("next     "))  # all settings have a digest

    return ask


def test_the_worst_comes_first_with_its_reason_since_when_and_what_mends_it(shop, status):
    press = shop("Ash", "Birch", "Cedar", "Dogwood")
    press.read("Ash")
    press.fail("Birch", status_reason(404), at=NOW - 72 * HOUR)
    press.fail("Cedar", status_reason(410), permanent=True)
    press.read("Dogwood", moved_to="https://dogwood.example/new")

    lines = status(press).splitlines()

    assert lines[2] == "sources  4: 1 gone, 1 failing, 1 moved, 1 ok"
    assert lines[3].startswith("  gone       Cedar: gone permanently: 410 Gone (since ")
    assert lines[4].strip().startswith("try: remove it, or watcher sources discover https://cedar.example/")
    assert lines[5].startswith(
        f"  failing    Birch: for 3 days: 404 Not Found (since {NOW - 72 * HOUR:%Y-%m-%d %H:%M} UTC)"
    )
    assert lines[7].startswith("  moved      Dogwood: reports a permanent move to https://dogwood.example/new;")
    assert lines[8:] == ["  watcher status NAME shows one in detail"]


@pytest.mark.slow
def test_where_all_is_well_nothing_but_counts_is_shown(shop, status):
    press = shop("Ash", "Birch")
    press.read("Ash")

    assert len(status(press).splitlines()) == 3
    assert status(press).splitlines()[2] == "sources  2: 1 new, 1 ok"


def test_settings_without_a_source_have_a_status(shop, status):
    assert status(shop()).splitlines()[2:] == ["sources  0"]


def test_a_source_that_was_never_polled_by_this_store_is_new(shop, status):
    press = shop("Ash", more='[[sources]]\nname = "Late"\nurl = "https://late.example/feed"\n')
    press.read("Ash")

    found = json.loads(status(press, "--json"))
    rows = {row["name"]: row for row in found["sources"]}

    assert rows["Late"]["health"] == "new"
    assert found["due"] == 3  # Late, and the two pages of Ash
    assert set(rows["Late"]) == set(rows["Ash"])
    assert "new        not polled yet" in status(press, "late")


def test_a_line_of_our_own_that_is_down_is_told_first_of_all(shop, status):
    press = shop("Ash")
    write(press.engine, record_network_down, down_since=NOW)

    assert "no internet connection at the last poll, since" in status(press).splitlines()[2]
    assert json.loads(status(press, "--json"))["network_down_since"] == f"{NOW:%Y-%m-%dT%H:%M:%SZ}"


def test_what_the_machine_lacks_to_poll_is_told_with_what_helps(shop, status):
    press = shop("Ash")
    write(press.engine, record_polling_stop, Reason(TaskKind.NO_PROCESSES, detail="no memory"), now=NOW)

    _, _, line, hint, *_ = status(press).splitlines()
    assert line == f"polling  stopped since {NOW:%Y-%m-%d %H:%M} UTC: no process can be started (no memory)"
    assert hint.strip().startswith("try: raise the limits of processes and memory")
    stop = json.loads(status(press, "--json"))["polling_stop"]
    assert stop == {"since": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "reason": "no process can be started (no memory)"}


def test_a_held_source_is_asked_when_its_host_may_be(shop, status):
    press = shop("Ash")
    until = NOW + 5 * HOUR
    write(press.engine, set_blocked_until, "ash.example", until=until)

    (row,) = json.loads(status(press, "--json"))["sources"]

    assert (row["health"], row["next_poll_at"]) == ("held", f"{until:%Y-%m-%dT%H:%M:%SZ}")
    assert f"not polled until {until:%Y-%m-%d %H:%M} UTC" in status(press)


@pytest.mark.slow
def test_many_sources_fit_one_screen_and_no_word_hides_another(shop, status):
    names = [f"N{n} of many" for n in range(60)]
    press = shop(*names)
    for n, name in enumerate(names):
        if n == 59:
            press.fail(name, status_reason(200, "DataDome"))
        else:
            press.fail(name, status_reason(503))

    told = status(press)

    assert len(told.splitlines()) < 30
    assert told.count("  failing ") == SOURCES_SHOWN - 1
    assert "DataDome" in told
    assert f"and {60 - SOURCES_SHOWN} more: watcher status --all" in told
    assert status(press, "--all").count("  failing ") == 59


def row(name: str, health: str) -> SourceStatus:
    status = source_status(SourceSettings(url=f"https://{name.replace(' ', '-')}.example/", name=name), None, now=NOW)
    return replace(status, health=Health(status=health))


@pytest.mark.parametrize(
    ("counts", "limit", "shares"),
    [((5, 1, 9), 6, [3, 1, 2]), ((1, 1), 10, [1, 1]), ((9,), 4, [4]), ((), 4, []), ((3, 3), 0, [0, 0])],
)
def test_each_word_has_its_turn_on_the_screen(counts, limit, shares):
    words = ("gone", "failing", "silent")
    rows = [row(f"{word} {m}", word) for word, count in zip(words, counts, strict=False) for m in range(count)]

    told = [each.health.status for each in _pick_unhealthy([*rows, row("well", "ok")], limit=limit)]

    assert [told.count(words[n]) for n in range(len(counts))] == shares
    assert len(told) == sum(shares)


def test_all_lists_the_healthy_too_with_addresses_and_faults(shop, status):
    press = shop("Ash")
    press.read("Ash", faults=("an entry has no link",))

    told = status(press, "--all")

    assert "  ok         Ash: since" in told
    assert "https://ash.example/feed.xml" in told
    assert "problem: an entry has no link" in told


def test_a_page_that_failed_and_is_tried_again_is_named(shop, status):
    press = shop("Ash")
    press.read("Ash", entries=1)
    feed = press.state("Ash").feed
    page = _entry_article_id(feed, Entry(guid="0", url=f"{feed.url}/0", title="T"))
    write(press.engine, record_failure, page, reason=status_reason(404), next_try_at=NOW + HOUR)

    lines = status(press).splitlines()

    start = lines.index("pages that failed, to try again later")
    assert lines[start + 1] == f"    {feed.url}/0: 404 Not Found"
    assert "pages without an article" not in lines


def test_reasons_for_lost_pages_are_told_the_commonest_first(shop, status):
    press = shop("Ash")
    press.read("Ash", entries=7)
    feed = press.state("Ash").feed
    for n in range(7):
        entry = Entry(guid=f"{n}", url=f"{feed.url}/{n}", title="T")
        reason = status_reason(404) if n < 2 else Reason(PageKind.OTHER_PAGE, url=f"/{n}")
        write(
            press.engine,
            lambda c, e=entry, r=reason: record_failure(c, _entry_article_id(feed, e), reason=r, next_try_at=None),
        )

    lines = status(press).splitlines()

    start = lines.index("pages without an article")
    assert lines[start + 1] == "      2 404 Not Found"
    assert lines[start + REASONS_SHOWN + 1] == "      3 for 3 other reasons: watcher status --all"
    newest = lines.index("  the newest of them")
    assert re.fullmatch(
        r"    https://ash.example/feed.xml/\d: (404 Not Found|the page redirects .*)", lines[newest + 1]
    )
    assert len([line for line in lines if line.startswith("    https://ash.example/feed.xml/")]) == REASONS_SHOWN
    assert "other reasons" not in status(press, "--all")
    assert status(press, "--all").count("https://ash.example/feed.xml/") == 7


def test_a_poll_whose_time_has_come_is_due_now(shop, status):
    press = shop("Ash")
    press.read("Ash", at=NOW - HOUR, next_poll_at=NOW - timedelta(seconds=17))

    (line,) = (line for line in status(press, "ash").splitlines() if line.startswith("next poll"))

    assert line.endswith("UTC, due now")


def test_one_source_is_shown_with_its_history_its_polls_and_what_comes(shop, status):
    press = shop("Ash", "Birch")
    press.read("Ash", at=NOW - 9 * HOUR, validators=Validators(etag='"abc"', last_modified=None))
    press.fail("Ash", status_reason(503), at=NOW - 4 * HOUR)
    for hours in (3, 2):
        press.read("Ash", at=NOW - hours * HOUR, entries=0, validators=Validators(etag='"abd"', last_modified=None))

    told = status(press, "ash")

    lines = told.splitlines()
    assert lines[0] == "Ash (https://ash.example/feed.xml)"
    assert lines[1].startswith("ok         since ")
    assert any(line.startswith("next poll  ") and "from now" in line for line in lines)
    assert "interval   30 minutes; new entries usually every 26 hours" in lines
    assert 'validators ETag "abd"' in lines
    words = lines[lines.index("health") + 1 : lines.index("polls")]
    assert [line.split()[3] for line in words] == ["ok", "failing", "ok"]
    polls = lines[lines.index("polls") + 1 :]
    assert [line.split()[3:5] for line in polls] == [["ok", "0"], ["failed", "0"], ["ok", "2"]]
    assert polls[0].endswith("  then 1 poll with nothing new")
    assert polls[1].endswith("503 Service Unavailable")
    assert "Birch" not in told


def test_one_source_as_json_has_all_that_is_kept(shop, status):
    press = shop("Ash")
    for n in range(15):
        if n % 2:
            press.fail("Ash", status_reason(503), at=NOW - (20 - n) * HOUR)
        else:
            press.read("Ash", at=NOW - (20 - n) * HOUR, entries=n == 0)
    press.read("Ash", at=NOW - 5 * HOUR, entries=0)

    told = json.loads(status(press, "https://ash.example/feed.xml", "--json"))

    assert (told["name"], told["health"], told["enabled"], told["failures"]) == ("Ash", "ok", True, 0)
    assert [line["health"] for line in told["history"]] == ["ok", "failing"] * 7 + ["ok"]
    assert len(told["polls"]) == 10 and told["polls"][0]["unchanged_polls_after"] == 1
    assert told["polls"][1] == {
        "at": f"{NOW - 7 * HOUR:%Y-%m-%dT%H:%M:%SZ}", "status": "failed", "new": 0, "changed": 0, "held_back": 0,
        "took_s": 0.0, "reason": "503 Service Unavailable", "unchanged_polls_after": 0,
    }  # fmt: skip
    assert told["validators"] == {"etag": None, "last_modified": None}


def test_a_source_that_is_gone_is_never_asked_again(shop, status):
    press = shop("Ash")
    press.fail("Ash", status_reason(410), permanent=True)

    assert "next poll  none: it is gone" in status(press, "ash")


def test_sources_without_a_country_are_counted_and_named_if_others_have_one(shop, status):
    press = shop("Ash", more='[[sources]]\nname = "Late"\nurl = "https://late.example/feed"\n')

    assert "1 of 2 sources has no country (Late): watcher check" in status(press)
    press.path.write_text(press.path.read_text("utf-8").replace("country = 'FR'\n", ""), "utf-8")
    assert "no country" not in status(press)


def test_the_next_edition_is_named_with_its_days_of_the_week_unless_it_is_daily(shop, capsys):
    digests = "".join(
        f'[[digests]]\nname = "{name}"\ntitle = "{name}"\ndirectory = "{name}"\n{more}\n'
        for name, more in {"daily": "", "work": 'days = "mon-fri"', "week": 'kind = "week"'}.items()
    )

    assert run_command_line(["status", "--config", str(shop(more=digests).path)]) == 0

    rows = [line.split(", due ")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("next ")]
    assert sorted(rows) == ["next     daily", "next     week (sun)", "next     work (mon-fri)"]


@pytest.mark.slow
def test_a_paused_source_stays_in_the_status_and_is_named_paused(shop, status):
    press = shop("Ash", "Off")
    press.read("Ash")
    press.fail("Off", status_reason(404))
    path, text = press.path, press.path.read_text("utf-8")
    path.write_text(text.replace("https://off.example/feed.xml'", "https://off.example/feed.xml'\nenabled = false"))
    write(press.engine, sync_sources, press.sources[:1], now=NOW)

    assert status(press).splitlines()[2:] == ["sources  2: 1 ok, 1 paused", "paused   Off"]
    words = " ".join(status(press, "--all").split())
    assert "paused Off: switched off in the settings; not polled; 0 articles" in words
    one = status(press, "Off")
    assert "paused     switched off in the settings; not polled\n" in one
    assert "try        watcher sources resume Off\n" in one and "next poll  none: it is paused\n" in one
    rows = json.loads(status(press, "--json"))["sources"]
    assert [(row["name"], row["health"]) for row in rows] == [("Ash", "ok"), ("Off", "paused")]
    assert rows[1]["next_poll_at"] is None and rows[1]["last_polled_at"] is not None
    assert json.loads(status(press, "Off", "--json"))["enabled"] is False


def test_a_name_that_no_source_has_is_a_fault_of_the_call(shop, capsys):
    press = shop("The Example")

    assert run_command_line(["status", "The Exampel", "--config", str(press.path)]) == 2
    assert 'did you mean "The Example"?' in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("--all",), ("https://odd.example/feed",)])
def test_nothing_that_a_server_said_steers_the_terminal(shop, status, arguments):
    press = shop(Odd="https://odd.example/feed")
    press.read(
        "Odd", at=NOW - HOUR, faults=(f"{ESCAPE} fault",), validators=Validators(etag=f"{ESCAPE}", last_modified=None)
    )
    press.fail("Odd", Reason(FetchKind.NOT_HTTP, detail=f"999 {ESCAPE}\nsources  1: 1 ok\r\tand more\u2028"))
    feed = press.state("Odd").feed
    page = Entry(guid="0", url=f"{feed.url}/0", title="T")
    write(
        press.engine,
        record_failure,
        _entry_article_id(feed, page),
        reason=Reason(PageKind.OTHER_PAGE, url=f"{ESCAPE}\nx"),
        next_try_at=None,
    )

    told = status(press, *arguments)

    assert all(line.isprintable() for line in told.split("\n"))
    assert not any(line.startswith("sources  1: 1 ok") for line in told.splitlines())


def test_reasons_without_end_are_cut(shop, status):
    press = shop("Ash")
    press.fail("Ash", Reason(FeedKind.HTML_WITH_FEEDS, feeds="https://x.example/ " * 900))

    assert max(map(len, status(press).splitlines())) < 320
    assert max(map(len, status(press, "ash").splitlines())) < 500


def test_watching_reads_changed_settings_and_names_their_faults(shop, capsys, monkeypatch):
    store = shop("Post")
    good = store.path.read_text("utf-8")
    texts = iter([f"{good}[[sources]]\nname = 'Late'\nurl = 'https://late.example/feed'\n", f"{good}[pol]\n", good])

    def sleep(_seconds: float) -> None:
        text = next(texts, None)
        if text is None:
            raise KeyboardInterrupt
        store.path.write_text(text, "utf-8")

    monkeypatch.setattr("watcher.cli.status.time", SimpleNamespace(sleep=sleep))

    assert run_command_line(["status", "--watch", "--config", str(store.path)]) == 130

    told = capsys.readouterr()
    assert [line for line in told.out.splitlines() if line.startswith("sources ")] == [
        "sources  1: 1 new",
        "sources  2: 2 new",
        "sources  2: 2 new",
        "sources  1: 1 new",
    ]
    (fault,) = told.err.splitlines()
    assert "pol: unknown setting" in fault and fault.endswith("the status is shown for the last valid settings")


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("hooks.example (343fc418)", "hooks.example"), ("ann@example.net", "ann@example.net"), ("env:URL", "env:URL")],
)
def test_a_web_address_is_named_without_the_mark_of_the_store(stored, shown):
    assert name_recipient(stored) == shown
