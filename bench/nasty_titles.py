"""
Show hostile headlines as five Markdown programs read them in an edition of ours, and count those that come out whole.

    python bench/nasty_titles.py CASES.json

CASES.json: a list of {"name", "title", "url", "clean"}; `clean` is what a reader must see, by default the title made
inert. Each is put where an edition has it: the heading and the contents, a sentence, an outlet, a brief, a correction.
Every place must show exactly the text and no other element, and every link lead to the case's address or nowhere.

Needs python-markdown (ours anyway), cmark-gfm and pandoc on the PATH, and node with commonmark and markdown-it in
$EDITION_TOOLS (`make edition-tools`). A program that is missing is named and passed over.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import markdown as python_markdown
from lxml import html as lxml_html

from digests.model.edition import Edition
from digests.render.escape import sanitize_line, web_url
from digests.render.forms import render, sample_edition

TOOLS = Path(os.environ.get("EDITION_TOOLS", Path.home() / ".cache" / "watcher-edition-tools"))
READ = "require('fs').readFileSync(0,'utf8')"
COMMONMARK = f"const c=require('commonmark');console.log(new c.HtmlRenderer().render(new c.Parser().parse({READ})))"
MARKDOWN_IT = f"console.log(require('markdown-it')({{html:true,linkify:true}}).render({READ}))"
OTHERS = {"p", "h1", "h2", "h3", "ul", "ol", "li", "a", "blockquote", "strong", "em", "hr", "div"}
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)

Reader = Callable[[str], str]


def readers() -> dict[str, Reader]:
    """Return the programs that are installed here, by name."""
    found: dict[str, Reader] = {"python-markdown": lambda source: python_markdown.markdown(source)}
    if shutil.which("cmark-gfm"):
        words = "cmark-gfm --unsafe -e table -e strikethrough -e autolink -e tagfilter".split()
        found["cmark-gfm"] = piped(words)
    if shutil.which("pandoc"):
        found["pandoc"] = piped("pandoc -f gfm -t html --wrap=none".split())
    for name, script in (("commonmark.js", COMMONMARK), ("markdown-it", MARKDOWN_IT)):
        package = TOOLS / "node_modules" / name.removesuffix(".js")
        if shutil.which("node") and package.is_dir():
            found[name] = piped(["node", "-e", script])
    return found


def missing() -> list[str]:
    """Return which of the five are not installed here."""
    return sorted({"python-markdown", "cmark-gfm", "pandoc", "commonmark.js", "markdown-it"} - readers().keys())


def piped(words: list[str]) -> Reader:
    """Return a program as a function of its standard input."""

    def read(source: str) -> str:
        folder = TOOLS if TOOLS.is_dir() else None
        done = subprocess.run(words, input=source, capture_output=True, text=True, check=True, cwd=folder)
        return done.stdout

    return read


def wrong(case: Mapping[str, str], read: Reader) -> list[str]:
    """Return what a program shows otherwise than the case wants it, empty if all is right."""
    clean = " ".join((case.get("clean") or sanitize_line(case["title"])).split())
    url = web_url(case["url"])
    made = render(hostile(case["title"], case["url"]), ["markdown"])[0].body.decode()
    page = lxml_html.fragment_fromstring(read(made.split("\n---\n", 1)[1]), create_parent="div")
    found = []
    for name, text, wanted in places(page, clean):
        if text != wanted:
            found.append(f"{name}: {text!r} instead of {wanted!r}")
    tags = {element.tag for element in page.iter() if isinstance(element.tag, str)} - OTHERS
    links = {href for href in page.xpath(".//a/@href") if not href.startswith("#")}
    if tags:
        found.append(f"elements {sorted(tags)}")
    if links - {url}:
        found.append(f"links to {sorted(links - {url})}")
    return found


def hostile(title: str, url: str) -> Edition:
    """Return an edition that has `title` wherever an outlet's words stand."""
    full = sample_edition()
    told = full.stories[0]
    sentence = replace(told.summary[0], text=title, outlet=title, url=url, translation=None)
    mention = replace(told.mentions[0], outlet=title, url=url, title=title)
    brief = replace(full.briefs[0], title=title, url=url, outlet=title, watched=(), translation=None)
    story = replace(
        told,
        title=title,
        translation=None,
        url=url,
        summary=(sentence,),
        updates=(replace(sentence, text="The water fell.", outlet="Valley Star"),),
        number_changes=(),
        figure_changes=(),
        new_outlets=(title,),
        mentions=(mention, replace(mention, language="fr", shows_title=True)),
        related=(brief,),
        perspectives=(),
        differences=(),
        silent=(),
        watched=(),
    )
    line = replace(full.at_a_glance[0], text=title, outlet=title, url=url, translation=None)
    correction = replace(full.corrections[0], outlet=title, url=url, title=title, before=title, after="gone")
    section = replace(full.sections[0], stories=(story,))
    short = replace(full, briefs=(brief,), corrections=(correction,), ended=(brief,), at_a_glance=(line,), coming_up=())
    return replace(short, sections=(section,), note="")


def places(page: Any, clean: str) -> Iterable[tuple[str, str, str]]:  # noqa: ANN401
    """
    Yield a name, what stands there and what should, for each place of `hostile` in a page.

    U+200E is ours: it ends a right-to-left outlet, so that the time stays on its side.
    """

    def text(path: str) -> str:
        element = page.find(path) if not path.startswith("(") else next(iter(page.xpath(path)), None)
        return "(nothing)" if element is None else " ".join(element.text_content().replace("\u200e", "").split())

    yield "heading", text("h3"), f"1. {clean}"
    yield "contents", text("(.//ol/li)[1]"), clean
    yield "sentence", text("(.//h3/following-sibling::p)[2]"), f"{clean} — {clean}, with AFP text, 06:30"
    yield "outlets", text("(.//blockquote/p)[last()]"), f"1 more outlet has the story: {clean}"
    listed = f"{clean}, with AFP text; {clean}, in French, with AFP text"
    yield "sources", text("(.//blockquote/following-sibling::p)[1]"), f"9 outlets, 2 independent: {listed}"
    yield "line at the top", text("(.//ul/li)[1]"), f"{clean} — {clean}, with AFP text, 06:30"
    yield "headline", text("(.//ul/li)[2]"), f"{clean} ({clean}, in French · 2 outlets)"
    yield "gone", text("(.//hr/preceding-sibling::p)[last()]"), f"No longer reported: {clean}"


def main() -> None:
    """Print each case that is read wrongly, and a line a program."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cases = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    worst = 0
    for name, read in readers().items():
        faults = {case.get("name", case["title"]): found for case in cases if (found := wrong(case, read))}
        for title, found in faults.items():
            print(f"  {name}, {title}: {'; '.join(found)}")
        print(f"{name}: {len(cases) - len(faults)} of {len(cases)}")
        worst = max(worst, len(faults))
    for name in missing():
        print(f"{name}: not installed here")
    sys.exit(1 if worst else 0)


if __name__ == "__main__":
    main()
