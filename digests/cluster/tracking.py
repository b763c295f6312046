"""Tracking: keeps the ids of stories from day to day, records what happened to them, and finds follow-ups."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, chain, count

import numpy as np

from digests.cluster.explain import distinct_in, shared_by
from digests.cluster.item import NEVER, ClusterItem
from digests.cluster.likeness import MIN_BODY_BYTES, Window
from digests.cluster.pair_model import models_for
from digests.cluster.stories import story_id
from digests.cluster.vectorize import stack_vectors
from digests.model.story import MERGED, SPLIT, Story
from watcher.features.extract import packed_terms
from watcher.features.language_means import embedder_mean
from watcher.model import Features

MOVED, FOLLOWS, LEFT = "moved", "follows", "left"
# A thread of three stories or more is joined by what is like two of them: one alone would form chains (decision 0062).
LARGE_THREAD, MIN_LIKE = 3, 2
START_SHARE = 0.02  # of a thread's articles, with which it has begun


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
    "left": `story` is no longer in the thread of `other`, as no story of that thread is like it.
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
    goes_on = _best_successor(shares)
    continued = {*goes_on.values()}
    left = (n for n, share in enumerate(shares) if share and n not in continued)
    back = ((n, restored_story(groups[n].articles, shares[n].total(), merged)) for n in left)
    restored = {n: story for n, story in back if story}
    named = assign_ids(groups, goes_on, by_id, restored, {*taken_ids, *had})
    changes = tuple(_find_events(named, home, items))
    stories = _assign_threads(named, {**{each.id: each for each in restored.values()}, **by_id}, items)
    profiles = {
        story.id: story_profile(story.id, [items[key] for key in story.articles])
        for story in stories
        if not all(items[key].is_non_voting for key in story.articles)
    }
    threaded, steps = _find_threads(stories, by_id, profiles)
    return TrackedStories(stories=threaded, events=(*changes, *steps), profiles=profiles)


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


def _best_successor(shares: Sequence[Counter[str]]) -> dict[str, int]:
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


def _find_events(
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


def _assign_threads(
    named: Sequence[Story], known: Mapping[str, ExistingStory], items: Mapping[str, ClusterItem]
) -> list[Story]:
    """
    Return the stories in their threads: the one that a known story is in, else one of their own.

    A story that was split from another one does not inherit its thread: the two were grouped by mistake.
    """
    stories = []
    for story in named:
        before = known.get(story.id)
        times = [items[key].published_at for key in story.articles]
        began = earliest_time(*times, before.began_at if before else None)
        stories.append(replace(story, thread=before.thread if before else _own_thread(story.id), began_at=began))
    return stories


def _own_thread(story: str) -> str:
    """Return the id of the thread that begins with a story."""
    return f"t{story[1:]}"


def _find_threads(
    stories: Sequence[Story], known: Mapping[str, ExistingStory], profiles: Mapping[str, ClusterItem]
) -> tuple[tuple[Story, ...], tuple[StoryEvent, ...]]:
    """
    Return the stories in their threads, and what happened to them: which follow another story, which left a thread.

    Only a story that is new or has grown changes its thread. It leaves the thread of others if it belongs to one
    running story with none of them; alone, it joins the thread whose earlier stories it fits best.
    """
    here = {story.id: story for story in stories}
    merged = {old for story in stories for old in story.merged_ids}
    gone = [story for story in known.values() if story.id not in here and story.id not in merged]
    thread: dict[str, tuple[str, datetime | None]] = {story.id: (story.thread, story.began_at) for story in gone}
    thread |= {story.id: (story.thread, story.began_at) for story in stories}
    sizes = Counter(name for name, _ in thread.values())
    by_time = sorted(stories, key=lambda story: (story.began_at is None, story.began_at or NEVER, story.id))
    grown = [
        story
        for story in by_time
        if story.id in profiles and (story.id not in known or not {*story.articles} <= {*known[story.id].articles})
    ]
    grown_ids = {story.id for story in grown}
    settled = [story for story in by_time if story.id in profiles and story.id not in grown_ids]
    earlier = [*(story.profile for story in gone if story.profile), *(profiles[story.id] for story in settled)]
    fits = match_stories(earlier, [profiles[story.id] for story in grown])
    members: defaultdict[str, set[str]] = defaultdict(set)  # by thread: its stories that `fits` compares, until now
    for item in earlier:
        members[thread[item.article_id][0]].add(item.article_id)
    events = []
    for story in grown:
        own = thread[story.id][0]
        fitting = fits.get(story.id, {})
        has_like = any(thread[other][0] == own for other in fitting)
        if sizes[own] > 1 and own != _own_thread(story.id) and not has_like:
            founder = next(key for key, (name, _) in thread.items() if name == own and key != story.id)
            sizes[own] -= 1
            thread[story.id] = _own_thread(story.id), known[story.id].first_at if story.id in known else story.began_at
            why = "no story of that thread is like it any more"
            events.append(StoryEvent(kind=LEFT, story=story.id, other=founder, articles=story.articles, why=why))
        if sizes[thread[story.id][0]] <= 1 and (nearest := _nearest_thread(fitting, thread, members)):
            other, probability = nearest
            began = earliest_time(thread[story.id][1], thread[other][1])
            thread[story.id] = thread[other][0], began
            sizes[thread[other][0]] += 1
            why = f"the probability that they belong to one running story is {probability:.2f}"
            events.append(StoryEvent(kind=FOLLOWS, story=story.id, other=other, articles=story.articles, why=why))
        members[thread[story.id][0]].add(story.id)
    placed = (replace(story, thread=thread[story.id][0], began_at=thread[story.id][1]) for story in stories)
    return tuple(placed), tuple(events)


def _nearest_thread(
    fits: Mapping[str, float], thread: Mapping[str, tuple[str, datetime | None]], members: Mapping[str, Collection[str]]
) -> tuple[str, float] | None:
    """
    Return the story that a story follows, and the probability that they belong to one running story; None if none.

    `fits` are the probabilities of the stories that it is like; `members` the stories of each thread that it may join.
    """
    by_thread: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for other, probability in fits.items():
        if other in members[name := thread[other][0]]:
            by_thread[name].append((-probability, other))
    joined = [
        min(alike) for name, alike in by_thread.items() if len(alike) >= MIN_LIKE or len(members[name]) < LARGE_THREAD
    ]
    probability, other = min(joined, default=(0.0, ""))
    return (other, -probability) if other else None


def match_stories(earlier: Sequence[ClusterItem], new: Sequence[ClusterItem]) -> dict[str, dict[str, float]]:
    """
    Return, for each story, the others of one running story with it, with probabilities; only pairs with one of `new`.

    Stories are given by their profiles.
    """
    items = [*earlier, *new]
    if not new or len(items) < 2:
        return {}
    answer = models_for(items).thread
    pairs = Window(items).measure(len(earlier))
    chances = answer.probabilities(pairs)
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for number in np.flatnonzero(chances >= answer.threshold).tolist():
        one, other = (items[int(places[number])].article_id for places in (pairs.first, pairs.second))
        found[one][other] = found[other][one] = round(float(chances[number]), 4)
    return found


def start_of_thread(stories: Iterable[tuple[datetime, int]]) -> datetime:
    """
    Return when a thread began, given the first time and the number of articles of each of its stories.

    A story that came before a large event and is like it, as talks before a war, does not date it: the thread began
    with the story with which it had `START_SHARE` of its articles.
    """
    by_time = sorted(stories)
    least = START_SHARE * sum(size for _, size in by_time)
    so_far = accumulate(size for _, size in by_time)
    return next(at for (at, _), size in zip(by_time, so_far, strict=True) if size >= least)


def earliest_time(*times: datetime | None) -> datetime | None:
    return min((at for at in times if at), default=None)


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
    vector, model = _mean_vector(voting, language)
    stems, weights = packed_terms(_average_terms(own))
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
            names=_frequent_keys([item.features.names for item in voting], MAX_NAMES),
            numbers=_frequent_keys([item.features.numbers for item in voting], MAX_NUMBERS),
            vector=vector,
            vector_model=model,
        ),
    )


def _average_terms(members: Sequence[ClusterItem]) -> list[tuple[str, float]]:
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


def _frequent_keys(keys: Sequence[Sequence[str]], limit: int) -> tuple[str, ...]:
    """Return up to `limit` keys that at least `MIN_SHARE` of the articles have, the most frequent first."""
    counts = Counter(chain.from_iterable(keys))
    kept = [key for key, count in counts.items() if count >= MIN_SHARE * len(keys)]
    return tuple(sorted(kept, key=lambda key: (-counts[key], key))[:limit])


def _mean_vector(members: Sequence[ClusterItem], language: str) -> tuple[bytes | None, str | None]:
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
