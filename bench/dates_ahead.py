"""
How well dates of events to come are read in sentences of real reports, by labels.

    python -m bench.dates_ahead --data DATA [--half 1] [--read]

DATA holds `streams/*.jsonl.gz` (outlet feeds, one entry a line) and `pages/index.jsonl` (pages with their texts). Of
each text the sentences are read whose SHA-1 is odd (`--half 1`, never looked at while the words were chosen) or even.
`coming_up/labels.tsv` has the labels: the beginning of the SHA-1 of the sentence, its language, and the day that it
announces, or "-" if it announces nothing. Behind the day stands the time in UTC, if the sentence says when the event
begins and the zone is clear; without it, no time is right. `--read` prints the sentences without a label, to label
them. It prints:

  an event       share of the labelled sentences with a date that announce something for a day to come
  date right     share of these with the right day
  time right     share of the times read that are right
  time read      share of the labelled times that are read, and right
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from digests.analysis.dates_ahead import DateAhead, days_of_report, find_date_ahead
from watcher.text.dates import parse_date
from watcher.text.sentences import sentences

LABELS = Path(__file__).parent / "coming_up" / "labels.tsv"
KEY_DIGITS = 12
TEXT_CHARS = 6_000
LENGTHS = range(40, 451)  # of a sentence; a character of Chinese, Japanese or Korean counts as three
WIDE = re.compile("[\u3040-\u9fff\uac00-\ud7af]")
# The countries of the outlets by their language: the sets have none.
COUNTRIES = dict(
    pair.split(":") for pair in "ko:KR pt:BR zh:HK de:DE fr:FR ru:RU ar:QA es:ES it:IT nl:NL fa:IR tr:TR ja:JP".split()
)


def load_texts(data: Path) -> Iterator[tuple[str, str, str]]:
    """Yield each text with its language and date."""
    for path in sorted((data / "streams").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for entry in map(json.loads, lines):
                summary = entry.get("summary") or ""
                text = re.sub("<[^>]+>", " ", entry.get("content") or entry.get("text") or "")
                text = text if len(text) > len(summary) else re.sub("<[^>]+>", " ", summary)
                yield text, entry.get("language") or "en", str(entry.get("published") or entry.get("first_seen") or "")
    with (data / "pages" / "index.jsonl").open(encoding="utf-8") as lines:
        for page in map(json.loads, lines):
            gold = page["gold"]
            body = gold.get("body") or gold.get("lead") or ""
            text = body if isinstance(body, str) else "\n".join(map(str, body))
            yield (
                text,
                page.get("lang") or "en",
                str(gold.get("published") or gold.get("date") or page.get("crawl") or ""),
            )


def find_dates(data: Path, half: int) -> Iterator[tuple[str, str, str, datetime, DateAhead]]:
    """Yield the sentences of a half that have a date to come: key, language, text, when published, the date."""
    seen: set[str] = set()
    for text, tag, published in load_texts(data):
        at, language = parse_date(published), tag[:2]
        if not text or at is None:
            continue
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        for start, end in sentences(text[:TEXT_CHARS], language):
            sentence = text[start:end]
            if len(sentence) * (3 if WIDE.search(sentence) else 1) < LENGTHS[0] or len(sentence) > LENGTHS[-1]:
                continue
            key = hashlib.sha1(sentence.encode()).hexdigest()
            if sentence in seen or int(key[-1], 16) % 2 != half:
                continue
            seen.add(sentence)
            country = COUNTRIES.get(language)
            if found := find_date_ahead(sentence, language, days_of_report(at, country), country):
                yield key[:KEY_DIGITS], language, sentence, at, found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    parser.add_argument("--read", action="store_true")
    given = parser.parse_args()
    with LABELS.open(encoding="utf-8") as rows:
        labels = {key: label for key, _, label in csv.reader(rows, delimiter="\t")}
    counts: Counter[str] = Counter()
    for key, language, sentence, at, found in find_dates(given.data, given.half):
        label = labels.get(key)
        counts["without a label" if label is None else "labelled"] += 1
        if label is None and given.read:
            print(key, language, f"{at:%Y-%m-%d %a %H:%M}", found.on, found.begins_at, sentence, sep=" | ")
        elif label:
            day, _, clock = label.partition(" ")
            counts["events"] += day != "-"
            counts["right"] += day == found.on.isoformat()
            counts["times said"] += bool(clock)
            counts["times"] += found.begins_at is not None
            counts["times right"] += bool(found.begins_at) and f"{found.on} {found.begins_at:%H:%M}" == label
    print(f"{counts['labelled']} labelled, {counts['without a label']} without a label")
    if not counts["labelled"]:
        print("no sentence of this half is labelled")
        return
    for name, right, of in (
        ("an event", "events", "labelled"),
        ("date right", "right", "events"),
        ("time right", "times right", "times"),
        ("time read", "times right", "times said"),
    ):
        if counts[of]:
            print(f"{name}: {counts[right] / counts[of]:.3f} ({counts[right]} of {counts[of]})")


if __name__ == "__main__":
    main()
