"""Selects an edition's stories: those shown in full, those shown as briefs, and those listed under a related story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from digests.compose.rank import RankedStory
from digests.model import EditionStory

MAX_RELATED = 3  # stories listed under one story
QUIET_FACTOR = 2  # quiet stories (nothing is new in them) shown as briefs for each story shown in full, at most
MAX_WATCHED = 10  # watched stories shown as briefs beyond the digest's number of briefs
Compose = Callable[[RankedStory], EditionStory | None]


@dataclass(slots=True)
class StorySelection:
    """The stories that an edition shows, best first, each once at most; `related` are by id of a main story."""

    main: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)  # shown in full
    related: dict[str, list[RankedStory]] = field(default_factory=lambda: defaultdict(list))
    briefs: list[RankedStory] = field(default_factory=list)
    quiet: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        full = [ranked for ranked, _ in (*self.main, *self.quiet)]
        return {ranked.story.id for group in (full, self.briefs, *self.related.values()) for ranked in group}


def select_stories(
    ranked: Sequence[RankedStory], compose: Compose, *, stories: int, briefs: int, flagged: frozenset[str]
) -> StorySelection:
    """
    Choose the stories to show from `ranked`, best first; `compose` returns a story as shown, None if it has no title.

    Stories with a `must` phrase come first, then those of several outlets, then the others. A quiet story (nothing is
    new) is shown as a brief and takes no place; a story of live blogs and round-ups alone, whose ids are in `flagged`,
    can only be a brief. Of a thread, the first story with news is shown, with up to `MAX_RELATED` others under it.
    """
    chosen = StorySelection()
    shown_by_thread: dict[str, str] = {}
    pending: list[RankedStory] = []
    for each in sorted(ranked, key=lambda each: (not each.must_phrases, len(each.coverage.outlets) == 1)):
        thread = each.sibling_of or each.story.id
        if thread in shown_by_thread:
            under = chosen.related[shown_by_thread[thread]]
            if len(under) < MAX_RELATED:
                under.append(each)
        elif len(chosen.main) == stories or flagged.issuperset(each.story.articles):
            pending.append(each)
        elif (shown := compose(each)) is None:
            continue
        elif shown.status != "quiet" or each.must_phrases:
            shown_by_thread[thread] = each.story.id
            chosen.main.append((each, shown))
        elif len(chosen.quiet) < QUIET_FACTOR * stories:
            chosen.quiet.append((each, shown))
    _attach_quiet_to_thread(chosen, shown_by_thread)
    _fill_briefs(chosen, pending, briefs)
    chosen.main.sort(key=lambda pair: (len(pair[0].coverage.outlets) == 1, -pair[0].score, pair[0].story.id))
    return chosen


def _attach_quiet_to_thread(chosen: StorySelection, shown_by_thread: dict[str, str]) -> None:
    """Move quiet stories under the main story of their thread; drop them if it has no room."""
    rest = []
    for each, shown in chosen.quiet:
        head = shown_by_thread.get(each.sibling_of or each.story.id)
        if head is None:
            rest.append((each, shown))
        elif len(chosen.related[head]) < MAX_RELATED:
            chosen.related[head].insert(0, each)
    chosen.quiet = rest


def _fill_briefs(chosen: StorySelection, pending: Sequence[RankedStory], briefs: int) -> None:
    """Add the watched stories as briefs, then others until there are `briefs`; one story per thread."""
    told: set[str] = set()
    watched = [each for each in pending if each.watched][: briefs + MAX_WATCHED]
    for each in (*watched, *(each for each in pending if not each.watched)):
        thread = each.sibling_of or each.story.id
        if thread not in told and (each.watched or len(chosen.briefs) < briefs):
            told.add(thread)
            chosen.briefs.append(each)
