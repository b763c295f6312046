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
        """The ids of all that is shown."""
        shown = [ranked.story.id for ranked, _ in (*self.main, *self.quiet)]
        shown += [ranked.story.id for group in (self.briefs, *self.related.values()) for ranked in group]
        return set(shown)


def select_stories(
    ranked: Sequence[RankedStory],
    compose: Compose,
    *,
    stories: int,
    briefs: int,
    flagged: frozenset[str],
) -> StorySelection:
    """
    Return what is told of `ranked`, best first.

    Stories with a word that must be shown come first, then those that more than one outlet has, then the others. A
    story in which nothing is new is told in a line, and the next one takes its place; so is one of live blogs and
    round-ups alone. Of an event, or thread, the first story that has news is told, with others of it under it.

    Args:
        compose: Returns a story as the edition would show it; None if it has no title.
        flagged: Ids of live blogs and round-ups.
    """
    chosen = StorySelection()
    heads: dict[str, str] = {}  # family to the story that is told of it
    pending: list[RankedStory] = []
    for each in sorted(ranked, key=lambda each: (not each.must_phrases, len(each.coverage.outlets) == 1)):
        family = each.sibling_of or each.story.id
        if family in heads:
            under = chosen.related.setdefault(heads[family], [])
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
        heads[family] = each.story.id
        chosen.main.append((each, shown))
    _move_under(chosen, heads)
    _tell_in_a_line(chosen, pending, briefs)
    chosen.main.sort(key=lambda pair: (len(pair[0].coverage.outlets) == 1, -pair[0].score, pair[0].story.id))
    return chosen


def _move_under(chosen: StorySelection, heads: dict[str, str]) -> None:
    """Put a quiet story under the one that has news of the same event."""
    rest = []
    for each, shown in chosen.quiet:
        head = heads.get(each.sibling_of or each.story.id)
        under = chosen.related.setdefault(head, []) if head else []
        if head and len(under) < MAX_RELATED:
            under.insert(0, each)
        elif not head:
            rest.append((each, shown))
    chosen.quiet = rest


def _tell_in_a_line(chosen: StorySelection, pending: Sequence[RankedStory], briefs: int) -> None:
    """Fill the briefs: those that the reader watches always, one story of an event."""
    told: set[str] = set()
    watched = [each for each in pending if each.watched][: briefs + MAX_WATCHED]
    rest = [each for each in pending if not each.watched]
    for each in (*watched, *rest):
        family = each.sibling_of or each.story.id
        if family in told or (len(chosen.briefs) >= briefs and not each.watched):
            continue
        told.add(family)
        chosen.briefs.append(each)
