"""`watcher story split`, `join`, `rules`, `forget`: a reader's corrections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from typer import Argument

from digests.cli.lookup import article_named
from digests.cli.story import story_id
from digests.errors import DigestError
from digests.store.corrections import KeptCorrection, kept_corrections
from digests.store.corrections import forget as forget_correction
from digests.store.editions import open_digests
from digests.stories.corrections import CorrectionResult
from digests.stories.corrections import join as join_stories
from digests.stories.corrections import split as split_story
from watcher.cli.app import DONE, Config, Json, examples, load_settings
from watcher.cli.output import print_json, print_lines
from watcher.store.writer import read, write

STORY = Annotated[
    str, Argument(metavar="STORY", help="Its id, an edition's link to it, or its number in the last one.")
]


@examples("watcher story split 3 1f2e3d4c5b6a7988", "watcher story split s1f2e3d4c5b https://example.org/news/quake")
def split(
    story: STORY,
    articles: Annotated[list[str], Argument(metavar="ARTICLE...", help="Ids or URLs of what does not belong there.")],
    config: Config = None,
) -> int:
    """
    Take articles out of a story: they are a story of their own, and stay apart from the others from now on.

    The others keep the id. `watcher story STORY` shows the ids of its articles.
    """
    settings = load_settings(config)
    engine = open_digests(settings.store.url, make=False)
    try:
        wanted = read(engine, story_id, settings, story)
        ids = read(engine, lambda c: [article_named(c, each).id for each in articles])
        done = split_story(engine, wanted, ids, now=datetime.now(UTC))
    finally:
        engine.dispose()
    print_lines(told(done))
    return DONE


@examples("watcher story join 3 7", "watcher story join s1f2e3d4c5b s9a8b7c6d5e")
def join(one: STORY, other: STORY, config: Config = None) -> int:
    """Make one story of two, now and from now on; the larger keeps its id, and the other's leads to it."""
    settings = load_settings(config)
    engine = open_digests(settings.store.url, make=False)
    try:
        ids = read(engine, lambda c: [story_id(c, settings, each) for each in (one, other)])
        done = join_stories(engine, *ids, now=datetime.now(UTC))
    finally:
        engine.dispose()
    print_lines(told(done))
    return DONE


def told(done: CorrectionResult) -> Iterator[str]:
    """Yield what a correction has done."""
    for story in done.stories:
        yield f"{story.id}  {len(story.articles)} article{'' if len(story.articles) == 1 else 's'}"
    yield f"It holds from now on: watcher story forget {done.number} takes it back."


@examples("watcher story rules")
def rules(config: Config = None, json: Json = False) -> int:
    """List the corrections that hold, oldest first; with --json, those that were forgotten too."""
    engine = open_digests(load_settings(config).store.url, make=False)
    try:
        found = read(engine, kept_corrections)
    finally:
        engine.dispose()
    if json:
        print_json([asdict(each) for each in found])
    else:
        print_lines(listed(found))
    return DONE


def listed(found: tuple[KeptCorrection, ...]) -> Iterator[str]:
    """Yield the corrections that hold, a line each."""
    held = [each for each in found if each.forgotten_at is None]
    yield from (f"{each.number:>4}  {each.made_at:%Y-%m-%d %H:%M}  {each.words}" for each in held)
    if not held:
        yield "no correction holds; watcher story split and watcher story join make one"


@examples("watcher story forget 3")
def forget(
    number: Annotated[int, Argument(help="Of the correction, as `watcher story rules` shows it.")],
    config: Config = None,
) -> int:
    """
    Let a correction hold no longer.

    The next edition groups its articles by what they say; until then they stay where the correction put them.
    """
    engine = open_digests(load_settings(config).store.url, make=False)
    try:
        done = write(engine, forget_correction, number, now=datetime.now(UTC))
    finally:
        engine.dispose()
    if not done:
        error = DigestError(f"no correction {number} holds")
        error.mend = "watcher story rules"
        raise error
    print_lines([f"Correction {number} is forgotten: the next edition groups its articles by what they say."])
    return DONE
