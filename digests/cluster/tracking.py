"""Tracking: keeps the ids of stories from day to day, records what happened to them, and finds follow-ups."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, count, groupby
from operator import itemgetter
from typing import Any

import numpy as np

from digests.cluster.constraints import MIN_KEYS
from digests.cluster.explain import distinct_in, shared_by
from digests.cluster.item import NEVER, ClusterItem
from digests.cluster.linkage import Edges
from digests.cluster.similarity import MIN_BODY_BYTES, PairScorer
from digests.cluster.stories import params_for, story_id
from digests.cluster.vectorize import embedder_mean, has_known_vector, stack_vectors
from digests.model import MERGED, SPLIT, Story
from watcher.features.extract import packed_terms
from watcher.model import Features

MOVED, FOLLOWS = "moved", "follows"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingStory:
    """A story as stored."""

    id: str
    thread: str
    began_at: datetime  # the first article of its thread
    first_at: datetime
    size: int  # of all its articles
    articles: tuple[str, ...] = ()  # in the window; of a story that was merged into another one, those that it had then
    merged_ids: tuple[str, ...] = ()
    profile: ClusterItem | None = None  # what it is about; None if it has articles in the window


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryEvent:
    """
    What happened to a story, and why.

    "merged": all of `story` is in `other` now. "split": its `articles` are now a story of their own, `other`.
    "moved": its `articles` are now in another known story, `other`. "follows": `story` continues the thread of `other`.
    """

    kind: str
    story: str
    other: str
    articles: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedStories:
    """The stories of a window under their known ids, and what happened to known stories."""

    stories: tuple[Story, ...]
    events: tuple[StoryEvent, ...] = ()
    profiles: Mapping[str, ClusterItem] = field(default_factory=dict)  # by story; none for live blogs and round-ups


def track_stories(
    known: Sequence[ExistingStory],
    groups: Sequence[Story],
    items: Mapping[str, ClusterItem],
    *,
    taken_ids: Collection[str] = (),
    merged: Sequence[ExistingStory] = (),
) -> TrackedStories:
    """
    Return `groups` under the ids of the known stories that they continue; independent of the order of both inputs.

    A known story continues in the group with most of its articles. If several continue in one group, the largest keeps
    its id and the others are merged into it. Articles that leave a story become a story of their own, or move to
    another known one. A story of `merged`, the stories that were merged into those of `known`, gets its id and thread
    back if it separates again. New stories never get an id of `taken_ids`. A story that is alone in its thread and on
    the same subject as an earlier story becomes its follow-up and joins that thread. Tracking is idempotent.
    """
    by_id = {story.id: story for story in sorted(known, key=lambda each: each.id)}
    home = {article: story.id for story in by_id.values() for article in story.articles}
    groups = sorted(groups, key=lambda each: each.articles)
    shares = [Counter(home[article] for article in group.articles if article in home) for group in groups]
    had = {old for story in known for old in (story.id, *story.merged_ids)}
    goes_on = best_successor(shares)
    continued = {*goes_on.values()}
    left = (n for n, share in enumerate(shares) if share and n not in continued)
    back = ((n, restored_story(groups[n].articles, shares[n].total(), merged)) for n in left)
    restored = {n: story for n, story in back if story}
    named = assign_ids(groups, goes_on, by_id, restored, {*taken_ids, *had})
    changes = tuple(find_events(named, home, items))
    stories = assign_threads(named, changes, {**{each.id: each for each in restored.values()}, **by_id}, items)
    profiles = {
        story.id: story_profile(story.id, [items[key] for key in story.articles])
        for story in stories
        if not all(items[key].is_non_voting for key in story.articles)
    }
    steps = tuple(find_follow_ups(stories, by_id, profiles))
    return TrackedStories(stories=apply_follow_ups(stories, steps, by_id), events=(*changes, *steps), profiles=profiles)


def assign_ids(
    groups: Sequence[Story],
    goes_on: Mapping[str, int],
    known: Mapping[str, ExistingStory],
    restored: Mapping[int, ExistingStory],
    taken: set[str],
) -> list[Story]:
    """Return each group with its id: of the largest known story it continues, of a restored one, or a new id."""
    stories_of: defaultdict[int, list[str]] = defaultdict(list)
    for story, number in goes_on.items():
        stories_of[number].append(story)
    gone = {old for each in restored.values() for old in (each.id, *each.merged_ids)} - known.keys()
    found = []
    for number, group in enumerate(groups):
        merged_ids: set[str] = set()
        if number in stories_of:
            # The largest keeps its id, on a tie the oldest.
            first, *rest = sorted(stories_of[number], key=lambda key: (-known[key].size, known[key].first_at, key))
            merged_ids = {*known[first].merged_ids, *rest, *(old for key in rest for old in known[key].merged_ids)}
            merged_ids -= gone
        elif number in restored:
            first = restored[number].id
            merged_ids = set(restored[number].merged_ids) - known.keys()
        else:
            first = new_id(group.articles[0], taken)
        found.append(replace(group, id=first, merged_ids=tuple(sorted(merged_ids))))
        taken.add(first)
    return found


def best_successor(shares: Sequence[Counter[str]]) -> dict[str, int]:
    """Return the index of the group that continues each known story: that with most of its articles, or the first."""
    best: dict[str, tuple[int, int]] = {}
    for number, share in enumerate(shares):
        for story, size in share.items():
            best[story] = max(best.get(story, (0, 0)), (size, -number))
    return {story: -number for story, (_, number) in best.items()}


def restored_story(articles: Collection[str], known: int, merged: Collection[ExistingStory]) -> ExistingStory | None:
    """
    Return the merged story that a group is again: it has most of that story's articles, and few others; or None.

    `known` is the number of the group's articles that were in a story.
    """
    here = set(articles)
    shared = {each.id: len(here.intersection(each.articles)) for each in merged}
    own = [each for each in merged if 2 * shared[each.id] > max(known, len(each.articles))]
    return min(own, key=lambda each: (-shared[each.id], each.id), default=None)


def new_id(earliest: str, taken: Collection[str]) -> str:
    """Return an id for a story whose earliest article is `earliest`; it is none of `taken`."""
    names = chain([earliest], (f"{earliest} {number}" for number in count(2)))
    return next(found for found in map(story_id, names) if found not in taken)


def find_events(
    stories: Sequence[Story], previous_story_of: Mapping[str, str], items: Mapping[str, ClusterItem]
) -> Iterator[StoryEvent]:
    """Yield a merge, move or split for each earlier story with articles that are now in another story, by story id."""
    parts: defaultdict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    by_id, old_ids = {story.id: story for story in stories}, set(previous_story_of.values())
    for story in stories:
        for article in story.articles:
            if article in previous_story_of:
                parts[previous_story_of[article]][story.id].append(article)
    for old_id in sorted(parts):
        kept = parts[old_id].pop(old_id, [])
        for other, articles in sorted(parts[old_id].items()):
            moved_items = [items[article] for article in articles]
            if old_id in by_id[other].merged_ids:
                other_items = [items[article] for article in by_id[other].articles if article not in articles]
                why, kind = shared_by(moved_items, other_items) if other_items else "", MERGED
            else:
                kept_items = [items[article] for article in kept]
                why = distinct_in(moved_items, kept_items) if kept_items else ""
                kind = MOVED if other in old_ids else SPLIT
            yield StoryEvent(kind=kind, story=old_id, other=other, articles=tuple(articles), why=why)


def assign_threads(
    named: Sequence[Story],
    changes: Sequence[StoryEvent],
    known: Mapping[str, ExistingStory],
    items: Mapping[str, ClusterItem],
) -> list[Story]:
    """Return the stories in their threads: the one that a known story is in, else that of the story it came from."""
    came_from = {change.other: change.story for change in reversed(changes) if change.kind == SPLIT}
    stories = []
    for story in named:
        origin = known.get(story.id) or known.get(came_from.get(story.id, ""))
        times = [items[key].published_at for key in story.articles]
        began = earliest_time(*times, origin.began_at if origin else None)
        stories.append(replace(story, thread=origin.thread if origin else f"t{story.id[1:]}", began_at=began))
    return stories


def find_follow_ups(
    stories: Sequence[Story], known: Mapping[str, ExistingStory], profiles: Mapping[str, ClusterItem]
) -> Iterator[StoryEvent]:
    """Yield an event for each follow-up: a story that is new or has grown, and is alone in its thread."""
    here = {story.id: story for story in stories}
    gone = [story for story in known.values() if story.id not in here]
    threads = {story.id: story.thread for story in gone} | {story.id: story.thread for story in stories}
    sizes = Counter(threads.values())
    old: list[ClusterItem] = []
    new: list[ClusterItem] = []
    by_time = sorted(stories, key=lambda story: (story.began_at is None, story.began_at or NEVER, story.id))
    for story in (story for story in by_time if story.id in profiles):
        grown = story.id not in known or len(story.articles) > known[story.id].size
        (new if grown and sizes[story.thread] == 1 else old).append(profiles[story.id])
    before = [story.profile for story in gone if story.profile]
    for new_story, follows, score in link_follow_ups([*before, *old], new, threads):
        why = f"their similarity is {score:.2f} of 1, and no other story is nearly as similar"
        yield StoryEvent(kind=FOLLOWS, story=new_story, other=follows, articles=here[new_story].articles, why=why)


def apply_follow_ups(
    stories: Sequence[Story], events: Sequence[StoryEvent], known: Mapping[str, ExistingStory]
) -> tuple[Story, ...]:
    """Return the stories, each follow-up in the thread of the story that it follows, as `events` say."""
    every: list[ExistingStory | Story] = [*known.values(), *stories]
    thread = {story.id: (story.thread, story.began_at) for story in every}
    for each in events:  # a story follows an earlier one in this order, whose thread is known by then
        thread[each.story] = thread[each.other]
    return tuple(
        replace(story, thread=thread[story.id][0], began_at=earliest_time(story.began_at, thread[story.id][1]))
        for story in stories
    )


def earliest_time(*times: datetime | None) -> datetime | None:
    return min((at for at in times if at), default=None)


CHUNK_PAIRS = 500_000  # compared at a time
MIN_SCORE = 0.4  # of two profiles, from which on one may follow the other
MARGIN = 1.6  # minimum ratio to the best score with any other thread: a story like all others follows none
# Scores are not averaged here, and `MARGIN` needs them unsharpened. Profiles have more words than articles, so words
# count more. Any time may pass between a story and its follow-up.
PROFILE_PARAMS: Mapping[str, Any] = {
    "sharpness": 1.0, "across": None, "share_text": 0.6, "text_scale": 0.9, "title_scale": 1.0, "expansion": None,
    "decay_hours_title": math.inf, "decay_hours_text": math.inf, "idle_hours": math.inf,
}  # fmt: skip
MIN_RARITY = 0.7  # of the keys that two profiles of one language share: about one name that no other story has
MIN_RARITY_ACROSS = 1.5  # the same for two languages: about two names
PRIOR_STORIES = 50  # added to the number of stories: among few stories every name is rare


def link_follow_ups(
    earlier: Sequence[ClusterItem], new: Sequence[ClusterItem], threads: dict[str, str]
) -> list[tuple[str, str, float]]:
    """
    Return (story, earlier story, score) for each story of `new` that follows another one, by their profiles.

    It follows one of `earlier`, or a story before it in `new`, if no other thread has nearly as high a score and the
    two share rare names. `threads` maps story ids to threads.
    """
    if not new:
        return []
    items = [*earlier, *new]
    params = replace(params_for(items)[0], floor=round(MIN_SCORE / MARGIN, 3), **PROFILE_PARAMS)
    pairs = PairScorer(items, params)
    counts = Counter(chain.from_iterable(set(item.keys()) for item in items))
    chunk = max(1, CHUNK_PAIRS // len(items))
    return [
        (items[row].article_id, items[other].article_id, score)
        for start in range(len(earlier), len(items), chunk)
        for row, other, score in best_matches(pairs.block(start, min(start + chunk, len(items))), items, threads)
        if score >= MIN_SCORE and share_names(items[row], items[other], counts, len(items) + PRIOR_STORIES)
    ]


def best_matches(
    found: Edges, items: Sequence[ClusterItem], threads: dict[str, str]
) -> Iterator[tuple[int, int, float]]:
    """Yield (row, earlier row, score) for each row whose best score is `MARGIN` times that of any other thread."""
    order = np.lexsort((found.second, -found.score, found.first))
    pairs = zip(*(each[order].tolist() for each in (found.first, found.second, found.score)), strict=True)
    for row, matches in groupby(pairs, key=itemgetter(0)):
        ranked = [(threads[items[other].article_id], other, score) for _, other, score in matches]
        thread, other, score = ranked[0]
        next_best = next((each for another, _, each in ranked if another != thread), 0.0)
        if score >= MARGIN * next_best:
            yield row, other, round(score, 4)


def share_names(one: ClusterItem, other: ClusterItem, counts: Counter[str], total: int) -> bool:
    """
    Whether two profiles share enough names and large numbers; `counts` says how many of `total` profiles have each.

    In one language they must if both have at least `MIN_KEYS`; in two languages, unless their vectors can be
    compared.
    """
    ours, theirs = set(one.keys()), set(other.keys())
    if one.language == other.language:
        least = MIN_RARITY if min(len(ours), len(theirs)) >= MIN_KEYS else 0.0
    else:
        least = 0.0 if has_known_vector(one) and has_known_vector(other) else MIN_RARITY_ACROSS
    rarity = math.fsum(math.log(total / (counts[key] + 0.5)) for key in ours & theirs)
    return rarity >= least * math.log(total / 1.5)


MAX_TERMS = 60
MAX_NAMES = 24
MAX_NUMBERS = 12
MIN_SHARE = 0.25  # of the articles that must have a name or number for it to be in the profile
DIGITS = 9  # decimal places of a mean weight, so that equal weights stay equal


def story_profile(story: str, members: Sequence[ClusterItem]) -> ClusterItem:
    """
    Return the articles of a story as one item without a date, in the language that most of them have.

    Articles without a vote are left out, unless all are. Terms have their mean weight in the articles of that language;
    names and numbers are those of a quarter of all articles; the vector is the mean of those of one embedder.
    """
    voting = [item for item in members if not item.is_non_voting] or list(members)
    languages = Counter(item.language for item in voting)
    language = min(languages, key=lambda each: (-languages[each], each))
    own = [item for item in voting if item.language == language]
    vector, model = mean_vector(voting, language)
    stems, weights = packed_terms(average_terms(own))
    return ClusterItem(
        article_id=story,
        title=own[0].title,
        language=language,
        features=Features(
            article_id=story,
            version=own[0].features.version,
            # enough to tell whether the story has texts or only titles
            shingles=max((item.features.shingles for item in own), key=len)[:MIN_BODY_BYTES],
            stems=stems,
            weights=weights,
            names=frequent_keys([item.features.names for item in voting], MAX_NAMES),
            numbers=frequent_keys([item.features.numbers for item in voting], MAX_NUMBERS),
            vector=vector,
            vector_model=model,
        ),
    )


def average_terms(members: Sequence[ClusterItem]) -> list[tuple[str, float]]:
    """Return the `MAX_TERMS` heaviest terms with their mean weights, each member's scaled to length 1 first."""
    ordered = sorted(members, key=lambda item: item.article_id)  # sums are the same for any order of `members`
    number = defaultdict[str, int](count().__next__)
    stems = chain.from_iterable(item.features.stems.split("\n") for item in ordered if item.features.stems)
    keys = np.fromiter(map(number.__getitem__, stems), np.int32)
    if not number:
        return []
    packed = (np.frombuffer(item.features.weights, "<u2").astype(np.float64) for item in ordered)
    values = np.concatenate([weights / (math.sqrt(weights @ weights) or 1.0) for weights in packed])
    means = np.round(10 * np.bincount(keys, values) / len(ordered), DIGITS)
    return sorted(zip(number, means.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))[:MAX_TERMS]


def frequent_keys(keys: Sequence[Sequence[str]], limit: int) -> tuple[str, ...]:
    """Return up to `limit` keys that at least `MIN_SHARE` of the articles have, the most frequent first."""
    counts = Counter(chain.from_iterable(keys))
    kept = [key for key, count in counts.items() if count >= MIN_SHARE * len(keys)]
    return tuple(sorted(kept, key=lambda key: (-counts[key], key))[:limit])


def mean_vector(members: Sequence[ClusterItem], language: str) -> tuple[bytes | None, str | None]:
    """
    Return the mean vector, as if of `language`, for the commonest embedder, and its name; (None, None) without vectors.

    The embedder's mean for each article's language is subtracted, and its mean for `language` is added at the end.
    """
    found = stack_vectors(members)
    if found is None:
        return None, None
    model, vectors, has = found
    mean = vectors[has > 0].mean(axis=0) + embedder_mean(model, language, vectors.shape[1])
    return (mean / max(float(np.linalg.norm(mean)), 1e-6)).astype("<f2").tobytes(), model
