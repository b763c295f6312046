"""
Cleans the pages of a public benchmark beside trafilatura, and lets the benchmark's own script score both.

    git clone https://github.com/scrapinghub/article-extraction-benchmark /tmp/aeb
    python bench/public_pages.py /tmp/aeb
    git clone https://github.com/Murrough-Foley/web-content-extraction-benchmark /tmp/wcxb
    python bench/public_pages.py /tmp/wcxb

Measured are the pages that `public_pages.tsv` lists: those that Watcher was made with. `--all` measures all of them.
Nothing is written into the clone: its script runs in a copy. trafilatura runs as the benchmark's own runner calls it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import trafilatura

LISTED = Path(__file__).with_suffix(".tsv")
Texts = Mapping[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a clone of the benchmark")
    parser.add_argument("--all", action="store_true", help="measure all its pages")
    given = parser.parse_args()
    is_wcxb = (given.folder / "dev").is_dir()
    listed = {
        page
        for benchmark, _, page in (line.partition("\t") for line in LISTED.read_text("utf-8").splitlines())
        if benchmark == ("wcxb" if is_wcxb else "aeb")
    }
    truths = load_truths(given.folder, is_wcxb=is_wcxb)
    truths = {page: truth for page, truth in sorted(truths.items()) if given.all or page in listed}
    html = given.folder / "dev" / "html" if is_wcxb else given.folder / "html"
    pages = {
        page: gzip.decompress((html / f"{page}.html.gz").read_bytes()).decode("utf-8", "replace") for page in truths
    }
    print(f"{len(pages)} pages, trafilatura {trafilatura.__version__}", flush=True)
    texts = {"watcher": clean(pages, truths), "trafilatura": extract(pages)}
    with tempfile.TemporaryDirectory() as copy:
        shutil.copy(given.folder / "evaluate.py", copy)
        (score_wcxb if is_wcxb else score_aeb)(Path(copy), truths, texts)


def read_page(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode("utf-8", "replace")


def load_truths(folder: Path, *, is_wcxb: bool) -> dict[str, dict[str, Any]]:
    """Return what the benchmark expects of each page, by the page's id."""
    if is_wcxb:
        return {path.stem: json.loads(path.read_bytes()) for path in (folder / "dev" / "ground-truth").glob("*.json")}
    truths: dict[str, dict[str, Any]] = json.loads((folder / "ground-truth.json").read_bytes())
    return truths


def clean(pages: Texts, truths: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the texts of Watcher, and print what they took."""
    rows = ({"id": page, "url": truths[page].get("url") or "", "html": html} for page, html in pages.items())
    before = getrusage(RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "watcher", "clean", "--jsonl"]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    run = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    after = getrusage(RUSAGE_CHILDREN)
    print_cpu("watcher", after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, len(pages))
    found = {row["id"]: row for row in map(json.loads, run.stdout.splitlines())}
    for page, row in found.items():
        if reason := row.get("error"):  # on a busy machine, a page may meet its time limit
            print(f"  {page}: {reason}")
    return {page: found[page].get("text") or "" for page in pages}


def extract(pages: Texts) -> dict[str, str]:
    """Return the texts of trafilatura, and print what they took."""
    before = time.process_time()
    texts = {page: trafilatura.extract(html, include_comments=False) or "" for page, html in pages.items()}
    print_cpu("trafilatura", time.process_time() - before, len(pages))
    return texts


def print_cpu(name: str, seconds: float, pages: int) -> None:
    print(f"{name:12} {1000 * seconds / pages:.1f} ms CPU a page", flush=True)


def score_aeb(copy: Path, truths: Mapping[str, Any], texts: Mapping[str, Texts]) -> None:
    (copy / "ground-truth.json").write_text(json.dumps(truths))
    (copy / "output").mkdir()
    for name, found in texts.items():
        (copy / "output" / f"{name}.json").write_text(
            json.dumps({page: {"articleBody": t} for page, t in found.items()})
        )
    subprocess.run([sys.executable, "evaluate.py"], cwd=copy, check=True)


def score_wcxb(copy: Path, truths: Mapping[str, Any], texts: Mapping[str, Texts]) -> None:
    (copy / "dev" / "ground-truth").mkdir(parents=True)
    for page, truth in truths.items():
        (copy / "dev" / "ground-truth" / f"{page}.json").write_text(json.dumps(truth))
    for name, found in texts.items():
        print(f"\n{name}", flush=True)
        (copy / "results.json").write_text(json.dumps(found))
        command = [sys.executable, "evaluate.py", "--split", "dev", "--results", "results.json"]
        subprocess.run(command, cwd=copy, check=True)


if __name__ == "__main__":
    main()
