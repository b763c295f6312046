"""
Counts the characters of an edition's Markdown by role: news, and the apparatus around it.

    python -m bench.apparatus EDITION.json...    # the JSON form of editions (formats = ["json"])
    python -m bench.apparatus --odd EDITION.json # prints the Markdown with the news struck out, to see what remains

News is a headline, a sentence, a line of figures, and the first lines, each once in the stories and a headline once
more in the contents. The rest is apparatus: names of outlets, times, counts, languages, labels, and the ledger.

Three shares are printed. The bar is for what a program shows: a rendered page has no addresses and no marks of
Markdown, and a run of blanks counts as one. `strict` takes the headlines of the contents for apparatus, too, as they
are read twice. `file` is the share of the file as it is: there, all addresses and marks are apparatus, and as links
take about half of a file, this share stays high however little stands beside the news.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import markdown as python_markdown
from lxml import html as lxml_html

from digests import edition_json
from digests.render import markdown
from digests.render.edition_view import edition_view
from digests.render.view import EditionView, QuoteView, StoryView

BAR = 0.45  # of the visible characters: the most that may be apparatus
NEWS = ("headline", "sentence", "figures", "first lines")
CONTENTS = "headline in the contents"
# Parts of the Markdown file; each begins with the line that matches and ends before the next. The first lines stand
# between head and contents, if there are any.
PARTS = (
    ("front matter", re.compile(r"^---$")),
    ("head", re.compile(r"^# ")),
    ("contents", re.compile(r"^## ")),
    ("stories", re.compile(r"^## ")),
    ("ledger", re.compile(r"^---$")),
)
FIRST_LINES = ("first lines", re.compile(r"^## "))
STRUCK = "\0"


def news_of(view: EditionView) -> Iterator[tuple[str, str]]:
    """Yield (role, text) of all that is news in an edition, in no order."""
    for line in view.at_a_glance:
        yield "first lines", line.text
        yield from (("figures", figure.text) for figure in line.figures)
    for story in view.stories:
        yield from news_of_story(story)
    for brief in (*view.briefs, *view.foreign, *view.followed, *view.quiet, *view.gone):
        yield "headline", brief.title
    for event in view.coming_up:
        yield "sentence", event.text
    for correction in view.corrections:
        yield "sentence", correction.before
        yield "sentence", correction.after


def news_of_story(story: StoryView) -> Iterator[tuple[str, str]]:
    """Yield (role, text) of what is news in a story."""
    yield "headline", story.title
    if story.original:
        yield "headline", story.original.text
    quotes: tuple[QuoteView, ...] = (
        *story.summary,
        *story.grounds,
        *(quote for quote in story.since if quote.cites),
        *(quote for _, quote in story.turns),
        *(quote for _, quote in story.notices),
    )
    for quote in quotes:
        yield "sentence", quote.text
        if quote.original:
            yield "sentence", quote.original.text
    for quote in (*story.figures, *(quote for difference in story.differences for quote in difference)):
        yield "figures", quote.text
    for change in story.changed_figures:
        before = f"{change.before} ({change.before_cite.outlet}{change.before_cite.mark}, {change.before_cite.time})"
        after = f"{change.after} ({change.after_cite.outlet}{change.after_cite.mark}, {change.after_cite.time}"
        yield from (("figures", change.label), ("figures", before), ("figures", after))
    if story.latest:
        yield "headline", story.latest.text
    yield from (("headline", line.title) for line in story.sources)
    yield from (("headline", line.headline) for line in story.perspectives)
    for brief in story.related:
        yield "headline", brief.title


def visible(source: str) -> str:
    """Return what a program shows of Markdown, each run of blanks as one."""
    if not source.strip():
        return ""
    html = python_markdown.markdown(source, extensions=("sane_lists",))
    return " ".join(lxml_html.fragment_fromstring(html, create_parent="div").text_content().split())


def split_parts(source: str, *, has_first_lines: bool) -> dict[str, str]:
    """Return the Markdown of each of `PARTS`, and of the first lines."""
    parts: dict[str, list[str]] = {"": []}
    names = iter((*PARTS[:2], FIRST_LINES, *PARTS[2:]) if has_first_lines else PARTS)
    name, opener = next(names)
    lines = source.split("\n")
    last_rule = max((at for at, line in enumerate(lines) if line == "---"), default=0)
    for at, line in enumerate(lines):
        is_rule = line == "---" and name == "ledger" and at != last_rule
        if opener.match(line) and not is_rule:
            parts[name] = []
            current = name
            name, opener = next(names, ("", re.compile(r"(?!)")))
        parts[current if parts.keys() - {""} else ""].append(line)
    return {name: "\n".join(lines) for name, lines in parts.items()}


def measure(view: EditionView, source: str) -> tuple[Counter[str], int, str]:
    """Return the visible characters of each role, the length of the file, and the text with the news struck out."""
    counts: Counter[str] = Counter()
    remains = []
    pieces = sorted({(" ".join(text.split()), role) for role, text in news_of(view) if text}, key=lambda p: -len(p[0]))
    parts = split_parts(source, has_first_lines=bool(view.at_a_glance))
    shown = {name: visible(text) if name != "front matter" else text for name, text in parts.items()}
    # A headline of the contents is a repetition, so news is struck out from the stories on first.
    for name in ("stories", "first lines", "head", "ledger", "contents", "front matter", ""):
        text = shown.get(name, "")
        if name == "contents":
            for title in sorted((story.title for story in view.stories), key=len, reverse=True):
                if title in text:
                    text = text.replace(title, STRUCK, 1)
                    counts[CONTENTS] += len(title)
        kept = []
        for piece, role in pieces:
            if piece in text:
                text = text.replace(piece, STRUCK, 1)
                counts[role] += len(piece)
            else:
                kept.append((piece, role))
        pieces = kept
        counts[f"apparatus: {name or 'other'}"] += len(text.replace(STRUCK, ""))
        remains.append(text.replace(STRUCK, "▒"))
    return counts, len(source), "\n\n".join(remains)


def main() -> None:
    """Print the shares of each edition."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("editions", nargs="+", type=Path)
    parser.add_argument("--odd", action="store_true", help="print what remains without the news")
    given = parser.parse_args()
    for path in given.editions:
        view = edition_view(edition_json.load(path.read_bytes()))
        source = markdown.render(view)
        counts, size, remains = measure(view, source)
        total = sum(counts.values())
        news = sum(counts[role] for role in NEWS)
        print(f"{path.name}: {total:,} visible characters, {size:,} in the file")
        for role, count in counts.items():
            print(f"  {role:24}{count:8,}{count / total:8.1%}")
        share = 1 - (news + counts[CONTENTS]) / total
        print(f"  apparatus {share:.1%} (bar {BAR:.0%}), strict {1 - news / total:.1%}, file {1 - news / size:.1%}")
        if given.odd:
            print(remains)


if __name__ == "__main__":
    main()
