"""The feeds of a site, for a person who names it: what its page links is read, else where sites usually have one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from watcher.errors import BadStatus
from watcher.feeds.discover import FoundFeed, news_first, usual_places
from watcher.feeds.inspect import NoFeed, Report
from watcher.text.urls import normal
from watcher.work.probe import Look, Looker

MOST_LOOKS = 12  # feeds of one page that are read
ALIKE = 0.8  # of the longer feed's links that two formats of one feed share


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    An address that may be a feed's. `way` is how it was come by: itself, declared, linked, guessed.

    `same_as` is the URL of a candidate before it that brings the same entries. Without a `look` it was not read.
    """

    url: str
    way: str
    title: str = ""
    look: Look | None = None
    same_as: str | None = None

    @property
    def report(self) -> Report | None:
        """The feed there, None if there is none."""
        return self.look.report if self.look else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What was found at a site: how its page answered, and each address that was tried, in the order of trying."""

    page: Look
    candidates: tuple[Candidate, ...]

    @property
    def feeds(self) -> tuple[Candidate, ...]:
        """The candidates that are feeds, each feed once."""
        return tuple(one for one in self.candidates if one.report and not one.same_as)


async def discover(urls: tuple[str, ...], looker: Looker) -> Discovery:
    """
    Return the feeds of the site at the first of `urls` that can be connected to.

    Where the page links no feed that can be read, the usual places are tried until one is a feed.
    """
    page = await looker.look_first(urls, as_page=True)
    if page.report:
        return Discovery(page=page, candidates=(Candidate(url=address_of(page), way="itself", look=page),))
    known: set[str] = set()
    found = await linked(page, looker, known)
    if not any(one.report for one in found) and may_have_more(page):
        found += await guessed(page, looker, known)
    return Discovery(page=page, candidates=told_apart(found))


async def linked(page: Look, looker: Looker, known: set[str]) -> list[Candidate]:
    """
    Return what the page links and is not `known` yet, the first `MOST_LOOKS` of it read.

    A link that leads to a page of feeds, as many papers have one, is followed to those.
    """
    links = deque((link, 1) for link in links_on(page))
    made: list[Candidate] = []
    while links:
        link, depth = links.popleft()
        if normal(link.url) in known:
            continue
        known.add(normal(link.url))
        look = await looker.look(link.url) if len(made) < MOST_LOOKS else None
        url, way = address_of(look) if look else link.url, "declared" if link.declared and depth == 1 else "linked"
        made.append(Candidate(url=url, way=way, title=link.title, look=look))
        if look and depth == 1:
            links.extend((further, 2) for further in links_on(look))
    return made


def links_on(look: Look) -> tuple[FoundFeed, ...]:
    """Return the feeds that a page links, of news first."""
    return news_first(look.found.links) if isinstance(look.found, NoFeed) else ()


async def guessed(page: Look, looker: Looker, known: set[str]) -> list[Candidate]:
    """Return the usual places up to the first that leads to a feed; a host that cannot be asked ends it."""
    made: list[Candidate] = []
    for url in usual_places(page.answer.url if page.answer else page.asked):
        if normal(url) in known:
            continue
        known.add(normal(url))
        look = await looker.look(url)
        made += [Candidate(url=address_of(look), way="guessed", look=look), *await linked(look, looker, known)]
        if any(one.report for one in made) or (look.error and not isinstance(look.error, BadStatus)):
            break
    return made


def may_have_more(page: Look) -> bool:
    """Whether it makes sense to ask further at the site: it answered, if only that this page is not to be had."""
    return page.answer is not None or (isinstance(page.error, BadStatus) and page.error.status != 429)


def address_of(look: Look) -> str:
    """Return the address to add: where it has moved for good, else as asked."""
    return (look.answer.moved_to if look.answer and look.report else None) or look.asked


def told_apart(found: list[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates with those marked that bring what one before them brings: another format, another URL."""
    told: list[Candidate] = []
    for one in found:
        same = next((other.url for other in told if not other.same_as and is_same(one, other)), None)
        told.append(replace(one, same_as=same))
    return tuple(told)


def is_same(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates are one feed: at one address in the end, or with nearly the same entries."""
    if not (one.report and other.report and one.look and other.look and one.look.answer and other.look.answer):
        return False
    if normal(one.look.answer.url) == normal(other.look.answer.url):
        return True
    here, there = links_of(one.report), links_of(other.report)
    return bool(here and there) and len(here & there) >= ALIKE * max(len(here), len(there))


def links_of(report: Report) -> set[str]:
    """Return the links of a feed's entries, for comparing."""
    return {normal(entry.url) for entry in report.feed.entries if entry.url}
