"""
Print how well cleaning names the agency of a page: `python bench/agencies.py FOLDER`, on pages labelled by hand.

FOLDER holds index.jsonl ({id, url, html}, one page a line) and the pages, gzipped. agency_labels.json beside this file
says of each page which agencies its text is from, by the rules below; it holds ids and agencies, no text.

How pages are labelled, from what a reader of the page sees:

- An agency counts if the text is its copy, wholly or in part, by byline, author field, source line, dateline, credit
  at the end ("(dpa)", "ino/dpa", "— AFP"), "with reporting by" or a notice of copyright under the text.
- The articles on an agency's own site are that agency's.
- A credit of a photo, film or chart does not count, nor does an agency that the text quotes ("told Reuters",
  "skriver NTB"), nor one in a teaser, a menu or a list of partners.
- "Agencies" and "wire services" without a name are nobody's. Newspapers and broadcasters that sell their texts (CNN,
  The New York Times) are no agencies here; a wire of press releases is one if it stands in the dateline.
- A text from several agencies has them all; a page is right if one of them is named, as an article carries one.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from watcher.clean.article import clean
from watcher.errors import CleanError
from watcher.text.encoding import decode_page

LABELS = Path(__file__).with_name("agency_labels.json")


def named(job: tuple[str, str]) -> str | None:
    """Return the agency that cleaning names for the page in a file, None if it names none."""
    file, url = job
    try:
        return clean(
            decode_page(gzip.decompress(Path(file).read_bytes()), None), url=url or "https://page.invalid/"
        ).agency
    except CleanError:
        return None


def main(folder: Path) -> None:
    """Print precision and recall, both by agency, and each page that is wrong."""
    labels: dict[str, list[str]] = json.loads(LABELS.read_text("utf-8"))
    pages = [json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines()]
    pages = [page for page in pages if page["id"] in labels]
    with ProcessPoolExecutor(2) as pool:
        said = list(pool.map(named, [(str(folder / page["html"]), page["url"]) for page in pages], chunksize=8))
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for page, agency in zip(pages, said, strict=True):
        true = labels[page["id"]]
        if agency in true:
            right[agency or ""] += 1
            continue
        if agency:
            wrong[agency] += 1
        if true:
            missed[true[0]] += 1
        if agency or true:
            print(f"{'wrong' if agency else 'missed'}  {page['id'][:60]}  said={agency} true={'/'.join(true) or None}")
    hits, alarms, misses = right.total(), wrong.total(), missed.total()
    for agency in sorted({*right, *wrong, *missed}):
        print(f"{agency:<18} right={right[agency]} wrong={wrong[agency]} missed={missed[agency]}")
    print(f"pages={len(pages)} with_agency={hits + misses} of {len(labels)} labelled")
    print(f"precision={hits / max(1, hits + alarms):.3f} recall={hits / max(1, hits + misses):.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
