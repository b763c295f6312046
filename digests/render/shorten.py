"""An edition made shorter for a mail, step by step: what a reader misses least goes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from digests.render.edition import MAX_HEADLINES, MAX_SOURCES
from digests.render.view import EditionView, SectionView, StoryView

HEADLINES, SOURCES = 2, 3  # of a story, by name: a mail is read on the way, the page has more
FEWER_HEADLINES, FEWER_SOURCES = 1, 2
VOICED = (
    12,
    10,
    8,
    6,
    5,
    4,
    3,
    2,
    0,
)  # stories of which a mail says how coverage differs, where there is no room for all
KEEP_WHOLE = 5  # stories whose texts are kept as long as it goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    An edition as a mail may show it.

    Args:
        terse: The part in plain text, which few programs show, leaves out how coverage differs and headlines in other
            languages.
        at_all_costs: The mail may be as large as its budget; else it is only to be that much if there is room.
    """

    view: EditionView
    terse: bool = False
    at_all_costs: bool = False


def steps(view: EditionView) -> Iterator[Step]:
    """
    Yield `view` and ever shorter ones.

    What is cut is named in `left_out`; outlets that are no longer named are counted, as everywhere.
    """
    cut: list[str] = []
    whole = each(view, partial(fewer, headlines=HEADLINES, sources=SOURCES), cut)
    yield Step(view=whole)
    is_voiced = any(story.voices or story.silent for story in view.stories)
    if is_voiced:
        yield Step(view=whole, terse=True)
    shorter = each(whole, _named, cut)
    yield Step(view=shorter, terse=is_voiced)
    for shorter in _to_room(whole, cut):
        yield Step(view=shorter, terse=is_voiced)
    yield Step(view=shorter, at_all_costs=True)
    for bare in _to_budget(shorter, cut):
        yield Step(view=bare, at_all_costs=True)


def _to_room(view: EditionView, cut: list[str]) -> Iterator[EditionView]:
    """Yield the edition with how coverage differs in ever fewer stories, from the end, then without what is related."""
    words = view.words
    last = max((story.number for story in view.stories if story.voices or story.silent), default=0)
    whole = list(cut)
    for most in (most for most in VOICED if most < last):
        cut[:] = [*whole, words.say("cut_later_voices", n=most) if most else words["cut_voices"]]
        view = each(view, partial(_unvoiced_after, most), cut)
        yield each(view, _named, cut)
    view = each(view, _named, cut)
    if any(story.related for story in view.stories):
        cut.append(words["cut_related"])
        view = each(view, lambda story: replace(story, related=()), cut)
        yield view


def _to_budget(view: EditionView, cut: list[str]) -> Iterator[EditionView]:
    words = view.words
    cut.append(words["cut_headlines"])
    view = each(view, partial(fewer, headlines=0), cut)
    yield view
    cut.append(words["cut_sources"])
    view = each(view, partial(fewer, sources=0), cut)
    yield view
    if view.quiet or view.gone:
        cut.append(words["cut_quiet"])
        view = replace(view, quiet=(), gone=(), left_out=tuple(cut))
        yield view
    cut.append(words["cut_briefs"])
    view = replace(view, briefs=(), left_out=tuple(cut))
    yield view
    cut.append(words["cut_texts"])
    last = max((story.number for story in view.stories), default=0)
    for whole in [*range(max(KEEP_WHOLE, last - 5), KEEP_WHOLE, -5), KEEP_WHOLE, 1, 0]:
        yield each(view, partial(_bare_after, whole), cut)


def each(view: EditionView, change: Callable[[StoryView], StoryView], left_out: list[str]) -> EditionView:
    """Return the edition with each story changed."""
    sections = tuple(
        SectionView(title=section.title, stories=tuple(change(story) for story in section.stories))
        for section in view.sections
    )
    return replace(view, sections=sections, left_out=tuple(left_out))


def fewer(story: StoryView, *, headlines: int = MAX_HEADLINES, sources: int = MAX_SOURCES) -> StoryView:
    """Return the story with at most so many of each, beside the headlines that voices have."""
    shown = story.other_headlines
    kept = tuple(line for line in story.headlines if line not in shown or line in shown[:headlines])
    return replace(story, headlines=kept, sources=story.sources[:sources])


def _named(story: StoryView) -> StoryView:
    """Return the story with fewer names; one that says how coverage differs has headlines in other languages there."""
    return fewer(story, headlines=0 if story.voices else FEWER_HEADLINES, sources=FEWER_SOURCES)


def terse(view: EditionView) -> EditionView:
    """Return the edition without how coverage differs and headlines in other languages, and with that told."""
    words = view.words
    cut = [words["cut_voices"], words["cut_headlines"]]
    said = {*cut, *(words.say("cut_later_voices", n=most) for most in VOICED)}
    rest = [part for part in view.left_out if part not in said]
    return each(view, lambda story: fewer(_unvoiced_after(0, story), headlines=0), [*cut, *rest])


def _unvoiced_after(number: int, story: StoryView) -> StoryView:
    return story if story.number <= number else replace(story, voices=(), silent=())


def _bare_after(number: int, story: StoryView) -> StoryView:
    """Return a story behind the first `number` as its headline, place, time and coverage."""
    if story.number <= number:
        return story
    bare = replace(story, summary=(), written="", since=(), sources=(), headlines=(), outlets=0)
    return replace(bare, voices=(), silent=(), related=())
