"""All cases, served at once, each at an address of its own; and what their operators complain about."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.manners.bounds import BOUNDS
from tests.manners.case import CANARY, LOCAL, Case, Place, Run, TooLittle
from tests.manners.conditional import CONDITIONAL
from tests.manners.entries import ENTRIES
from tests.manners.publisher import Answer, Publisher, Request
from tests.manners.redirects import REDIRECTS
from tests.manners.timing import TIMING

CASES: tuple[Case, ...] = (*CONDITIONAL, *TIMING, *REDIRECTS, *ENTRIES, *BOUNDS)
PATIENCE_S = 300.0  # with a reader that has asked too little to be judged: a busy machine is no fault of manners


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A publisher that serves the cases, and where."""

    publisher: Publisher
    places: dict[str, Place]

    def urls(self, case: Case) -> list[str]:
        """Return the URLs of a case's feeds."""
        home = self.places[case.name].home
        base = home.replace("//", f"//{case.credentials}@") if case.credentials else home
        return [base + path for path in case.feeds]

    def complaints(self, restarted_at: float) -> dict[str, str]:
        """Return what the operators complain about, by case."""
        everything = tuple(self.publisher.requests)
        judged = {case.name: case.judge(self._run(case, everything, restarted_at)) for case in CASES}
        return {name: complaint for name, complaint in judged.items() if complaint is not None}

    def wait(self, seconds: float) -> None:
        """Wait some seconds from the first request on."""
        until(lambda: bool(self.publisher.requests))
        time.sleep(seconds)

    def settled(self, restarted_at: float) -> dict[str, str]:
        """Return the complaints when more time would settle none of them."""
        until(lambda: not any(isinstance(each, TooLittle) for each in self.complaints(restarted_at).values()))
        return self.complaints(restarted_at)

    def _run(self, case: Case, everything: tuple[Request, ...], restarted_at: float) -> Run:
        place = self.places[case.name]
        return Run(
            place=place,
            requests=tuple(request for request in everything if place.has(request)),
            everything=everything,
            restarted_at=restarted_at,
            ended_at=time.monotonic(),
        )


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Yield the stage, serving."""
    places: dict[str, Place] = {}
    own = [f"127.66.{number}.{which}" for number in range(1, len(CASES) + 1) for which in (1, 2)]

    def answer(earlier: Iterable[Request], request: Request) -> Answer:
        case = next((case for case in CASES if places[case.name].has(request)), None)
        if case is None:
            return Answer(status=404)
        if request.path == "/robots.txt":
            return case.robots()
        nth = sum(one.path == request.path and one.host == request.host for one in earlier)
        if request.path.startswith("/news/"):
            return case.page(request, nth)
        return case.answer(places[case.name], request, nth)

    with Publisher((*own, CANARY, LOCAL), answer) as publisher:
        places.update((case.name, Place(number=n, port=publisher.port)) for n, case in enumerate(CASES, start=1))
        yield Stage(publisher=publisher, places=places)


def until(done: Callable[[], bool]) -> None:
    """Wait until something holds, `PATIENCE_S` at most."""
    end = time.monotonic() + PATIENCE_S
    while not done() and time.monotonic() < end:
        time.sleep(0.1)
