"""What quality is measured by: the sample press's pages and pieces, whose truth is known; figures from 0 to 1."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from statistics import mean

from bench.report_pairs import count, figures
from digests.cli.cluster import _cluster_lines
from tests.demo_press import Label, label_of, labels
from watcher.clean.article import clean
from watcher.clean.site_memory import build_site_memory
from watcher.demo.model import library
from watcher.demo.server import _answer_path
from watcher.errors import CleanError
from watcher.model import ExtractedArticle

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]|[^\W_\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]+")
RUN = 4  # tokens that text is compared by

Told = tuple[Label, ExtractedArticle | None]


@cache
def cleaned_press() -> dict[str, Told]:
    """Return the press's pages that carry their whole text, cleaned with the memory of their site; None for none."""
    made: dict[str, Told] = {}
    for outlet in library().outlets:
        base = f"https://{outlet.domain}"
        printed = library().print_outlet(outlet, base=base, now=NOW, day=1)
        truth = {label.key: label for label in map(label_of, printed.pieces)}
        pages = {}
        for key, label in truth.items():
            if label.page in ("ok", "redirect"):
                html = _answer_path(printed, label.path).body.decode(outlet.encoding)
                pages[key] = (html, f"{base}{label.path}")
        alone = {key: attempt(html, url) for key, (html, url) in pages.items()}
        for key, (html, url) in pages.items():
            others = [page.block_hashes for other, page in alone.items() if page is not None and other != key]
            made[key] = truth[key], attempt(html, url, others)
    return made


def attempt(html: str, url: str, others: Sequence[tuple[int, ...]] = ()) -> ExtractedArticle | None:
    """Return the article in a page, None if there is none."""
    try:
        return clean(html, url=url, now=NOW, memory=build_site_memory(others) if others else None)
    except CleanError:
        return None


def cleaning(pages: Iterable[Told]) -> dict[str, float]:
    """Return how well pages were cleaned: F1 of the text, and how many titles, kinds and agencies are right."""
    pairs = list(pages)
    agencies = [(label.agency, page.agency if page else None) for label, page in pairs]
    named, wanted = [got for _, got in agencies if got], [want for want, _ in agencies if want]
    right = sum(bool(want) and want == got for want, got in agencies)
    return {
        "text_f1": mean(text_f1(page.text if page else "", label.text) for label, page in pairs),
        "titles": mean(bool(page) and page.title == label.title for label, page in pairs),
        "kinds": mean(bool(page) and page.kind == label.kind for label, page in pairs),
        "dated": mean(bool(page) and page.published_at is not None for _, page in pairs),
        "agency_precision": right / len(named) if named else 0.0,
        "agency_recall": right / len(wanted) if wanted else 0.0,
    }


def text_f1(got: str, wanted: str) -> float:
    """Return how much of two texts is the same, by runs of tokens."""
    one, other = runs(got), runs(wanted)
    both = sum((one & other).values())
    return 2 * both / (sum(one.values()) + sum(other.values())) if both else 0.0


def runs(text: str) -> Counter[tuple[str, ...]]:
    """Return the runs of a text with their numbers."""
    tokens = TOKEN.findall(text.lower())
    return Counter(tuple(tokens[at : at + RUN]) for at in range(max(1, len(tokens) - RUN + 1)))


def b_cubed(got: Mapping[str, str], wanted: Mapping[str, str]) -> float:
    """Return the B-cubed F1 of a grouping: item to group, as found and as it should be."""
    found, true = members(got), members(wanted)
    precision = mean(len(found[got[item]] & true[wanted[item]]) / len(found[got[item]]) for item in wanted)
    recall = mean(len(found[got[item]] & true[wanted[item]]) / len(true[wanted[item]]) for item in wanted)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def members(groups: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the items of each group."""
    found: dict[str, set[str]] = defaultdict(set)
    for item, group in groups.items():
        found[group].add(item)
    return found


def grouping(embedder: str) -> dict[str, float]:
    """Return B-cubed of the press's stories and reports as `watcher cluster --jsonl` finds them."""
    truth = {key: label for key, label in labels(day=1).items() if label.kind == "article"}
    out = StringIO()
    assert _cluster_lines(map(json.dumps, (line(key, label) for key, label in truth.items())), out, embedder) == 0
    rows = {row["id"]: row for row in map(json.loads, out.getvalue().splitlines())}
    stories = {key: rows[key]["story"] for key in truth}
    reports = {key: rows[key]["report"] for key in truth}
    return {
        "stories_b3": b_cubed(stories, {key: label.story for key, label in truth.items()}),
        "reports_b3": b_cubed(reports, {key: label.report for key, label in truth.items()}),
    }


def line(key: str, label: Label) -> dict[str, str]:
    """Return a piece as the filter reads it."""
    at = NOW - timedelta(hours=label.hours)
    told = {"title": label.title, "body": label.text, "language": label.language, "source": label.outlet.name}
    return {"id": key, "published": at.isoformat(), "url": f"https://{key}", **told}


def reports(half: str) -> dict[str, float]:
    """Return precision and recall of "carries the same text" on the labelled pairs of one half of bench/reports."""
    kinds = count(half, seed=1)
    _, _, precision, recall = figures(sum(kinds.values(), Counter()))
    return {"precision": precision, "recall": recall}
