"""Which stories an edition tells in full, which in a line, and which it gathers under another on the same event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from digests.compose.rank import RankedStory
from digests.model import EditionStory

MAX_RELATED = 3  # stories gathered under one
QUIET_FACTOR = 2  # quiet stories told in a line for each story told in full, at most
MAX_WATCHED = 10  # stories that the reader watches, told in a line beyond the digest's briefs
Compose = Callable[[RankedStory], EditionStory | None]


@dataclass(slots=True)
class StorySelection:
    """
    What an edition shows, best first; each story at one place at most.

    `main` holds what is told in full; `related` is by the id of the story above.
    """

    main: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)
    related: dict[str, list[RankedStory]] = field(default_factory=dict)
    briefs: list[RankedStory] = field(default_factory=list)
    quiet: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        shown = [ranked.story.id for ranked, _ in (*self.main, *self.quiet)]
        shown += [ranked.story.id for group in (self.briefs, *self.related.values()) for ranked in group]
        return set(shown)


def select_stories(
    ranked: Sequence[RankedStory], compose: Compose, *, stories: int, briefs: int, flagged: frozenset[str]
) -> StorySelection:
    """
    Choose the stories to show from `ranked`, best first.

    Stories with a word that must be shown come first, then those reported by more than one outlet, then the others. A
    story without news is shown as a brief, and the next one takes its place; so is a story of live blogs and round-ups
    alone. Of the stories of one thread, the first with news is shown; the others are listed under it.

    Args:
        compose: Returns a story as the edition would show it; None if it has no title.
        flagged: Ids of live blogs and round-ups.
    """
    chosen = StorySelection()
    shown_by_thread: dict[str, str] = {}
    pending: list[RankedStory] = []
    for each in sorted(ranked, key=lambda each: (not each.must_phrases, len(each.coverage.outlets) == 1)):
        thread = each.sibling_of or each.story.id
        if thread in shown_by_thread:
            under = chosen.related.setdefault(shown_by_thread[thread], [])
            if len(under) < MAX_RELATED:
                under.append(each)
            continue
        if len(chosen.main) == stories or flagged.issuperset(each.story.articles):
            pending.append(each)
            continue
        shown = compose(each)
        if shown is None:
            continue
        if shown.status == "quiet" and not each.must_phrases:
            if len(chosen.quiet) < QUIET_FACTOR * stories:
                chosen.quiet.append((each, shown))
            continue
        shown_by_thread[thread] = each.story.id
        chosen.main.append((each, shown))
    _attach_quiet_to_thread(chosen, shown_by_thread)
    _fill_briefs(chosen, pending, briefs)
    chosen.main.sort(key=lambda pair: (len(pair[0].coverage.outlets) == 1, -pair[0].score, pair[0].story.id))
    return chosen


def _attach_quiet_to_thread(chosen: StorySelection, shown_by_thread: dict[str, str]) -> None:
    """Put a quiet story under the one that has news of the same event."""
    rest = []
    for each, shown in chosen.quiet:
        head = shown_by_thread.get(each.sibling_of or each.story.id)
        if head is None:
            rest.append((each, shown))
        elif len(under := chosen.related.setdefault(head, [])) < MAX_RELATED:
            under.insert(0, each)
    chosen.quiet = rest


def _fill_briefs(chosen: StorySelection, pending: Sequence[RankedStory], briefs: int) -> None:
    """Fill the briefs: those that the reader watches always, one story of an event."""
    told: set[str] = set()
    watched = [each for each in pending if each.watched][: briefs + MAX_WATCHED]
    for each in (*watched, *(each for each in pending if not each.watched)):
        thread = each.sibling_of or each.story.id
        if thread not in told and (each.watched or len(chosen.briefs) < briefs):
            told.add(thread)
            chosen.briefs.append(each)
