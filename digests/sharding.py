"""Groups a window: as a whole, or in shards with a process each where it is too large for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from digests.cluster.item import Item, in_order
from digests.cluster.rules import NO_RULES, Rules
from digests.cluster.shards import cut, joined, rules_across, speakers
from digests.cluster.stories import NOT_KNOWN, Grouping, grouping

if TYPE_CHECKING:  # it brings what starts processes, and few windows are so large
    from digests.shard_processes import Task

SHARDS_ABOVE = 200_000  # articles of a window: half a minute of one core, half a GB (docs/scale.md)
MOST_ACROSS = 2  # where that is more than fit a process by themselves, one in so many articles speaks across shards


def window_grouping(
    items: Sequence[Item],
    *,
    rules: Rules = NO_RULES,
    known: Mapping[str, str] = NOT_KNOWN,
    shards_above: int = SHARDS_ABOVE,
    run: Callable[[Sequence[Task]], Sequence[Grouping]] | None = None,
) -> Grouping:
    """
    Return the stories of a window, as `grouping` does; of more than `shards_above` articles, in shards of languages.

    A shard has at most so many articles, but that no language is cut.

    Args:
        run: What groups each of the tasks that a window is divided into; None: a process for each.

    Errors: DigestError, if the process of a shard dies again and again.
    """
    if len(items) <= shards_above:
        return grouping(items, rules=rules, known=known)
    ordered = in_order(items)
    shards = cut(ordered, shards_above)
    if len(shards) == 1:
        return grouping(ordered, rules=rules, known=known)
    from digests.shard_processes import Task, in_processes

    run = run or in_processes
    tasks = [Task(name=named(shard), items=shard, rules=rules, known=of(shard, known)) for shard in shards]
    found = run(tasks)
    del shards, tasks
    task = across(found, ordered, rules, known)
    (last,) = run([task])
    return joined(found, last, task.parts, ordered)


def across(found: Sequence[Grouping], ordered: Sequence[Item], rules: Rules, known: Mapping[str, str]) -> Task:
    """Return the articles that speak for the stories of shards, as what is to be grouped across them."""
    from digests.shard_processes import Task

    by_id = {item.article_id: item for item in ordered}
    corrected = {article for pair in rules.apart for side in pair for article in side}.union(*rules.together)
    most = max(SHARDS_ABOVE, len(ordered) // MOST_ACROSS)
    parts = speakers(found, by_id, most=most, ruled=corrected)
    items = [by_id[article] for article in parts]
    return Task(
        name="all languages together",
        items=items,
        rules=rules_across(rules, found, parts),
        known=of(items, known),
        parts=parts,
    )


def named(shard: Sequence[Item]) -> str:
    """Return the languages of a shard."""
    return ", ".join(sorted({item.language for item in shard}))


def of(items: Sequence[Item], known: Mapping[str, str]) -> dict[str, str]:
    """Return what is known of some articles."""
    return {item.article_id: known[item.article_id] for item in items if item.article_id in known}
