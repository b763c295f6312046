"""Host visits as a state machine: workers come, stand still and die, hosts ask to be left alone, settings change."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.worker.visits_worker import POLL, Asked
from tests.worker.visits_world import HOSTS, PATHS, START, World, feed_xml
from watcher.errors import HttpStatusError, TimedOut
from watcher.failure_messages import FetchKind, Reason
from watcher.model import NotModified, Response
from watcher.store.engine import connect, open_store
from watcher.store.feeds import make_all_due
from watcher.store.writer import write
from watcher.text.urls import host_of
from watcher.worker.host_session import MAX_PAGE_BLOCK

pytestmark = pytest.mark.slow  # thirty small lives of a store

LONGEST = timedelta(hours=24)
MOST_WORKERS = 3
KINDS = ("same", "same", "news", "news", "broken", "busy", "busy", "gone")
HOLD_S = (20.0, 600.0, 3 * 3600.0)
AFTER_ALL = timedelta(days=4)  # by then every wait and every hold is over


class Visits(RuleBasedStateMachine):
    """What may happen, in any order."""

    new_store: ClassVar[Callable[[], str]]  # returns the address of one in which there is nothing
    end_store: ClassVar[Callable[[str], None]]

    @initialize(workers=st.integers(2, MOST_WORKERS))
    def begin(self, workers: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.store_url = type(self).new_store()
        self.world = World(engine=connect(self.store_url))
        for _ in range(workers):
            self.world.start()
        self.all_look()

    def run(self, work: Coroutine[object, object, None]) -> None:
        self.loop.run_until_complete(work)

    def pick(self, data: st.DataObject, *, feed: bool) -> Asked | None:
        """Return a request that somebody waits for, None if there is none."""
        awake = self.world.awake()
        found = [asked for asked in self.world.in_flight if asked.worker in awake and asked.is_feed is feed]
        return data.draw(st.sampled_from(found)) if found else None

    def all_look(self) -> None:
        """Let each worker look for work, as it does every other second."""
        for worker in self.world.awake():
            self.run(self.world.look(worker))

    @rule(data=st.data(), kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))
    def feeds_answer(self, data: st.DataObject, kinds: list[str]) -> None:
        for kind in kinds:
            if asked := self.pick(data, feed=True):
                getattr(self, kind)(asked, data)

    @rule(data=st.data(), kinds=st.lists(st.sampled_from((200, 500, 503)), min_size=1, max_size=4))
    def pages_answer(self, data: st.DataObject, kinds: list[int]) -> None:
        for kind in kinds:
            if asked := self.pick(data, feed=False):
                self.page(asked, kind, data)

    @rule(length_s=st.sampled_from((5, 60, 200, 1000, 2000, 4 * 3600)))
    def time_passes(self, length_s: int) -> None:
        self.world.pass_time(timedelta(seconds=length_s))
        self.all_look()

    @rule(data=st.data(), writes=st.integers(0, 3))
    @precondition(lambda self: self.world.awake())
    def a_worker_will_die(self, data: st.DataObject, writes: int) -> None:
        data.draw(st.sampled_from(self.world.awake())).writes_left = writes

    @rule(data=st.data(), answers=st.integers(0, 2))
    @precondition(lambda self: self.world.awake())
    def a_worker_dies_and_comes_back(self, data: st.DataObject, answers: int) -> None:
        self.feeds_answer(data, ["same"] * answers)
        for worker in self.world.awake()[:1]:
            worker.die()
            self.run(self.world.settle())
        self.a_worker_starts()

    @rule(data=st.data())
    @precondition(lambda self: self.world.awake())
    def a_worker_is_stopped_in_order(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.world.awake()))
        self.run(worker.queue.stop())
        if worker.is_alive:
            worker.die()
        self.all_look()

    @rule()
    def a_worker_starts(self) -> None:
        if len([worker for worker in self.world.workers if worker.is_alive]) < MOST_WORKERS:
            self.world.start()
            self.all_look()

    @rule(data=st.data(), length_s=st.sampled_from((60, 200, 400, 4 * 3600)))
    @precondition(lambda self: self.world.awake())
    def a_worker_stands_still_for_a_while(self, data: st.DataObject, length_s: int) -> None:
        worker = data.draw(st.sampled_from(self.world.awake()))
        worker.asleep_since = self.world.clock
        self.world.tell(f"{worker.name} stands still")
        missed = [asked for asked in self.world.in_flight if asked.worker is worker]
        for asked in missed:
            asked.overslept = True
        self.time_passes(length_s)
        worker.asleep_since = None
        for asked in missed:
            if asked in self.world.in_flight:  # it may die over the one before
                (self.same if asked.is_feed else self.page_fails)(asked, data)
        self.all_look()

    @rule(enabled=st.sets(st.sampled_from(PATHS), min_size=3), back=st.booleans())
    def the_settings_change(self, enabled: set[str], back: bool) -> None:
        before = self.world.enabled
        self.world.sync(enabled)
        self.all_look()
        if back:
            self.world.sync(before)
            self.all_look()

    @rule()
    def somebody_wants_everything_now(self) -> None:
        write(self.world.engine, make_all_due, now=self.world.clock)
        self.world.tell("everything is due")
        for path in self.world.enabled:
            self.world.not_before.pop(path, None)
        for asked in self.world.in_flight:
            asked.least_wait = timedelta(0)

    def same(self, asked: Asked, data: st.DataObject) -> None:
        """A feed is as it was, and may say for how long it stays so."""
        max_age_s = data.draw(st.sampled_from((0, 7200)))
        self.well(asked, timedelta(seconds=max_age_s))
        self.answer(asked, unchanged(asked, max_age_s))

    def news(self, asked: Asked, data: st.DataObject) -> None:
        """A feed has two new entries, on its own host or another; it may have moved."""
        links = self.world.links[asked.path]
        for _ in range(2):
            host = data.draw(st.sampled_from(HOSTS))
            links.append(f"https://{host}/news{asked.path}-{len(links)}.html")
        moved = data.draw(st.sampled_from((None, None, *HOSTS)))
        url = f"https://{moved}{asked.path}" if moved else asked.url
        self.well(asked, timedelta(0))
        answer = Response(
            url=url,
            moved_to=url if moved else None,
            status=200,
            headers=(("etag", f'"{len(links)}"'),),
            body=feed_xml(links),
            took_s=0.1,
        )
        self.answer(asked, answer)
        if asked.worker.is_alive:
            self.world.noted.update((link, asked.path) for link in links)

    def broken(self, asked: Asked, data: st.DataObject) -> None:
        """A feed fails."""
        self.badly(asked)
        late = data.draw(st.booleans())
        self.answer(
            asked,
            TimedOut(asked.url, Reason(FetchKind.TIMED_OUT, time="20")) if late else HttpStatusError(asked.url, 500),
        )

    def busy(self, asked: Asked, data: st.DataObject) -> None:
        """A host asks to be left alone: the feed's, or the one that it was redirected to."""
        seconds = data.draw(st.sampled_from(HOLD_S))
        self.badly(asked, least=timedelta(seconds=seconds))
        self.hold(asked, seconds, data.draw(st.sampled_from((None, None, *HOSTS))))

    def gone(self, asked: Asked, data: st.DataObject) -> None:
        """A feed ends."""
        del data
        self.badly(asked)
        self.answer(asked, HttpStatusError(asked.url, 410), gone=True)

    def page_fails(self, asked: Asked, data: st.DataObject) -> None:
        """A page fails."""
        self.page(asked, 500, data)

    def page(self, asked: Asked, kind: int, data: st.DataObject) -> None:
        """A page comes to an end (here it is gone, and the feed's text has to do), fails, or its host is busy."""
        if kind == 503:
            self.hold(asked, data.draw(st.sampled_from(HOLD_S)), longest=MAX_PAGE_BLOCK)
        else:
            status = 410 if kind == 200 else kind
            self.answer(asked, HttpStatusError(asked.url, status))

    @invariant()
    def nothing_went_wrong(self) -> None:
        if hasattr(self, "world"):
            assert self.world.faults == [], "\n".join(self.world.story)

    def well(self, asked: Asked, fresh: timedelta) -> None:
        """Note what a good answer means for a feed."""
        self.world.failures[asked.path] = 0
        self.wait(asked, max(POLL.min_every, fresh))

    def badly(self, asked: Asked, least: timedelta = timedelta(0)) -> None:
        """Note what a bad answer means for a feed."""
        number = self.world.failures[asked.path] = asked.failures + 1
        self.wait(asked, max(min(POLL.min_every * 2**number, LONGEST), least))

    def wait(self, asked: Asked, length: timedelta) -> None:
        """Note when a feed may be asked again; where two workers wrote of it, the one that lets it come sooner."""
        until = self.world.clock + length
        before = self.world.not_before.get(asked.path, START)
        self.world.not_before[asked.path] = min(until, before) if asked.overslept else until

    def hold(self, asked: Asked, seconds: float, by: str | None = None, *, longest: timedelta = timedelta.max) -> None:
        """Answer that a host is to be left alone, which it is for `longest` at most."""
        url = f"https://{by}/" if by else asked.url
        until = self.world.clock + min(timedelta(seconds=seconds), longest)
        answer = HttpStatusError(asked.url, 503, retry_after_s=seconds, answered_by=url)
        self.answer(asked, answer, held={host_of(url): until})

    def answer(
        self, asked: Asked, answer: object, *, held: dict[str, datetime] | None = None, gone: bool = False
    ) -> None:
        """Give an answer, and let everybody go on."""
        self.run(self.world.give(asked, answer, held=held or {}, gone=gone))

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            if not self.world.faults:
                self.run(self.all_ends_well())
                assert self.world.faults == []
        finally:
            for worker in self.world.workers:
                if worker.is_alive:
                    worker.die()
            self.run(self.world.settle())
            self.loop.close()
            self.world.engine.dispose()
            type(self).end_store(self.store_url)

    async def all_ends_well(self) -> None:
        """Everybody dies; a new worker, days later, finds all that there is to do, and leaves nothing held."""
        world = self.world
        for worker in world.workers:
            if worker.is_alive:
                worker.die()
        await world.settle()
        world.clock += AFTER_ALL
        world.feeds_asked.clear()
        worker = world.start()
        await world.look(worker)
        while world.in_flight:
            asked = world.in_flight[0]
            if asked.is_feed:
                asked.answer.set_result(unchanged(asked, 0))
            else:
                asked.answer.set_exception(HttpStatusError(asked.url, 410))
            await world.settle()
            await world.look(worker)
        assert set(world.feeds_asked) >= world.enabled - world.gone - world.maybe_gone
        assert {link for link, path in world.noted.items() if path in world.enabled} <= world.pages_asked
        assert world.leased() == []


def unchanged(asked: Asked, max_age_s: int) -> NotModified:
    """Return a 304."""
    headers = (("cache-control", f"max-age={max_age_s}"),) if max_age_s else ()
    return NotModified(url=asked.url, moved_to=None, headers=headers, took_s=0.1)


def on_files(folder: Path) -> tuple[Callable[[], str], Callable[[str], None]]:
    """Return what makes an empty store in `folder`, a copy of one, and what removes it."""
    empty = folder / "empty.db"
    open_store(f"sqlite:///{empty}").dispose()

    def new() -> str:
        place = Path(tempfile.mkdtemp(dir=folder)) / "watcher.db"
        shutil.copy(empty, place)
        return f"sqlite:///{place}"

    return new, lambda url: shutil.rmtree(Path(url.removeprefix("sqlite:///")).parent)


def test_in_any_order_of_events_no_feed_is_lost_and_no_host_is_asked_by_two(database, tmp_path, request):
    if database == "sqlite":
        (new, end), examples = on_files(tmp_path), 30
    else:
        server = request.getfixturevalue("postgresql_server")
        new, end, examples = server.fresh, server.drop, 10
    machine = type("VisitsOnStores", (Visits,), {"new_store": staticmethod(new), "end_store": staticmethod(end)})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            phases=(Phase.generate,),  # the story of a fault is read at once; making it shorter takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
