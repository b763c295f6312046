"""The page of what an edition leaves out: its stories and articles by cause, the best stories first."""

from collections import defaultdict
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread

from sqlalchemy import Engine

from digests.analysis.select import Cause
from digests.edition.left_out import LeftOutItems, load_left_out
from digests.model.edition import Edition
from digests.model.ledger import STORY_KINDS, LeftOutKind
from digests.render.escape import language_tag, sanitize_line
from digests.render.ledger import describe_left_out
from digests.settings.digests import DigestSettings
from digests.store.editions import EditionRow
from digests.store.stories import existing_ids
from digests.web.editions import RELOAD_S, count_left_out, digest_of, find_edition, format_edition_date
from watcher.store.writer import read
from watcher.text.format import format_count
from watcher.web.site import PageRequest, PageResponse, Site, render_page

MAX_LISTS = 8  # that are kept: each takes seconds to make
LIST_WAIT_S = 2.0  # for a list, before a page answers that it is being made
MAX_ROWS = 100  # of a cause
LEFT_OUT_TITLE_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutRow:
    href: str
    title: str
    lang: str  # "" if it is unknown
    about: str  # "number 27 by its score, 3 outlets"; the outlet of an article


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutGroup:
    """What is left out for one cause; `rows` are the first of `count`, and empty for what is not stored."""

    words: str  # "stories that ranked lower"
    count: int
    rows: tuple[LeftOutRow, ...]


Groups = tuple[LeftOutGroup, ...]


class LeftOutPages:
    """Answers with the lists of what editions leave out; makes them in a thread, and keeps the last ones."""

    def __init__(self) -> None:
        self._lists: dict[tuple[EditionRow, str], Future[Groups]] = {}
        self._turn = Lock()  # one list at a time is made: it groups all articles of a period

    def answer(self, site: Site, ask: PageRequest) -> PageResponse:
        """Return the list of an edition, or a page that reloads while it is made. Errors: NotFound, StoreError."""
        row, edition = find_edition(site, ask)
        digest = digest_of(site, edition.digest)
        key = (row, digest.model_dump_json())  # other settings leave out other stories
        future = self._lists.get(key)
        if future is None:
            future = Future()
            self._lists = dict(list(self._lists.items())[1 - MAX_LISTS :]) | {key: future}
            Thread(target=self._make, args=(future, site.engine, digest, edition), daemon=True).start()
        try:
            groups = future.result(timeout=LIST_WAIT_S)
        except TimeoutError:
            groups = None
        except Exception:
            self._lists.pop(key, None)  # the next request tries again
            raise
        return render_page(
            site,
            "left_out.html.j2",
            package="digests.web",
            row=row,
            edition=edition,
            date=format_edition_date(row),
            total=count_left_out(edition),
            groups=groups,
            refresh_s=RELOAD_S if groups is None else 0,
        )

    def _make(self, future: Future[Groups], engine: Engine, digest: DigestSettings, edition: Edition) -> None:
        """Set what an edition leaves out as the result of `future`, one edition at a time."""
        try:
            with self._turn:
                items = load_left_out(engine, digest, edition)
                stored = read(engine, existing_ids, {story.story.id for story in items.stories})
            future.set_result(_group_by_cause(items, stored))
        except BaseException as error:  # noqa: BLE001 - raised again by `answer`
            future.set_exception(error)


def _group_by_cause(items: LeftOutItems, stored: set[str]) -> Groups:
    """Return the causes of stories, that of the best one first, then those of articles and of what is not stored."""
    stories: defaultdict[LeftOutKind, list[LeftOutRow]] = defaultdict(list)
    for story in items.stories:
        place = f"number {story.place:,} of {items.wanted:,} by its score, " if story.place else ""
        first = story.story.articles[0]
        row = LeftOutRow(
            href=f"/story/{story.story.id}" if story.story.id in stored else f"/article/{first}",
            title=sanitize_line(story.title, limit=LEFT_OUT_TITLE_CHARS) or "Untitled",
            lang="",
            about=f"{place}{format_count(story.outlets, 'outlet')}",
        )
        stories[story.kind].append(row)
    articles: defaultdict[Cause, list[LeftOutRow]] = defaultdict(list)
    for article, cause in items.articles.values():
        row = LeftOutRow(
            href=f"/article/{article.id}",
            title=sanitize_line(article.title, limit=LEFT_OUT_TITLE_CHARS) or "Untitled",
            lang=language_tag(article.language),
            about=sanitize_line(article.outlet, limit=100),
        )
        articles[cause].append(row)
    groups = [_group(describe_left_out(kind), rows) for kind, rows in stories.items()]
    for (kind, rule), rows in articles.items():
        groups.append(_group(f"{describe_left_out(kind)}{f': {sanitize_line(rule, limit=100)}' if rule else ''}", rows))
    listed = STORY_KINDS | {kind for kind, _ in articles}
    for counted in items.edition.ledger.left_out:
        if counted.kind not in listed and counted.count:
            words = sanitize_line(describe_left_out(counted.kind, counted.reason), limit=200)
            groups.append(LeftOutGroup(words=words, count=counted.count, rows=()))
    return tuple(groups)


def _group(words: str, rows: list[LeftOutRow]) -> LeftOutGroup:
    return LeftOutGroup(words=words, count=len(rows), rows=tuple(rows[:MAX_ROWS]))
