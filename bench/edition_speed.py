"""
Measures an edition of a large store: `watcher digest`, from the command to the files.

    python bench/edition_speed.py                      # 5,000 and 50,000 articles in the window
    python bench/edition_speed.py 5000 --rooms         # where the time goes, room by room
    python bench/edition_speed.py 50000 --keep FOLDER  # keep the stores that were filled, or take them again

Prints wall and CPU seconds of the whole command and the peak memory of its process tree. The program is compiled
first, as an installation does. The articles are made up (`edition_texts.py`): a few kB each, in five languages, of four
hundred outlets, wire copies among them.
"""

from __future__ import annotations

import argparse
import compileall
import cProfile
import pstats
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from datetime import timedelta
from io import StringIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from edition_texts import END, articles, sources
from tree import run

from digests.store.editions import open_digests
from watcher.features.extract import encode, extract_features
from watcher.model import Article, PackedFeatures
from watcher.store.articles import NewArticle, add_articles
from watcher.store.feeds import feed_ids, sync_sources
from watcher.store.writer import read, write

COUNTS = (5_000, 50_000)
DAY = timedelta(days=1)
BATCH = 500  # articles of one transaction
CHUNK = 25  # articles that a process makes features of in one go
SETTINGS = """
[semantic]
embedder = "none"

[store]
url = "sqlite:///{store}"

[[digests]]
name = "daily"
timezone = "UTC"
directory = "{folder}/editions"
"""
ROOMS = {
    "read what grouping needs": ("window.py", "load_window"),
    "group": ("window.py", "cluster_window"),
    "carry on and keep stories": ("stories.py", "save_changes"),
    "read articles and revisions": ("load.py", "load_edition_inputs"),
    "select": ("select.py", "select_articles"),
    "rank": ("rank.py", "rank"),
    "compose and summarise": ("edition.py", "compose_edition"),
    "render": ("publish.py", "render_all"),
    "keep the edition": ("build.py", "save"),
}


def main() -> None:
    """Print a line for each number of articles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="*", type=int, default=COUNTS)
    parser.add_argument("--keep", type=Path, help="a folder for the stores")
    parser.add_argument("--rooms", action="store_true", help="profile it instead")
    given = parser.parse_args()
    for package in ("watcher", "digests"):
        compileall.compile_dir(Path(__file__).resolve().parents[1] / package, quiet=1)
    with tempfile.TemporaryDirectory() as temporary:
        for count in given.counts:
            stored = (given.keep or Path(temporary)) / f"store-{count}.db"
            if not stored.exists():
                stored.parent.mkdir(parents=True, exist_ok=True)
                fill(stored, count)
            folder = Path(temporary) / str(count)
            folder.mkdir()
            shutil.copy(stored, folder / "watcher.db")
            (profile if given.rooms else measure)(folder, count)


def fill(path: Path, count: int) -> None:
    """Make a store of `count` articles with their features."""
    engine = open_digests(f"sqlite:///{path}.new")
    write(engine, sync_sources, sources(), now=END)
    ids = read(engine, feed_ids)
    by_name = {source.name: ids[source.url] for source in sources()}
    made = list(articles(count))
    with ProcessPoolExecutor(2) as pool:
        packed = list(pool.map(features_of, made, chunksize=CHUNK))
    arrivals = [
        NewArticle(article=article, feed_id=by_name[article.outlet], packed=each)
        for article, each in zip(made, packed, strict=True)
    ]
    for start in range(0, count, BATCH):
        part = arrivals[start : start + BATCH]
        write(engine, lambda c, part=part: add_articles(c, part))  # type: ignore[misc]
    engine.dispose()
    Path(f"{path}.new").rename(path)


def features_of(article: Article) -> PackedFeatures:
    """Return what is kept of an article for grouping."""
    made = extract_features(article.id, title=article.title, text=article.text, language=article.language)
    return PackedFeatures(version=made.version, payload=encode(made))


def command(folder: Path) -> list[str]:
    """Return the arguments of the command, with settings for the store in `folder`."""
    settings = folder / "settings.toml"
    settings.write_text(SETTINGS.format(store=folder / "watcher.db", folder=folder), encoding="utf-8")
    day, hours = END.date().isoformat(), int(DAY / timedelta(hours=1))
    return ["digest", "--config", str(settings), "--date", day, "--until", END.isoformat(), "--since", f"{hours}h"]


def measure(folder: Path, count: int) -> None:
    """Print what the whole command takes."""
    taken = run([str(Path(sys.executable).with_name("watcher")), *command(folder)], cwd=folder)
    files = sum(path.is_file() for path in (folder / "editions").rglob("*"))
    print(
        f"{count} articles: {taken.wall_s:.1f} s, {taken.cpu_s:.1f} s CPU, {taken.peak_bytes / 1e6:.0f} MB; "
        f"exit {taken.code}, {files} files",
        flush=True,
    )


def profile(folder: Path, count: int) -> None:
    """Print the share of each room, by a profile of the command in this process, which makes it slower."""
    from watcher.cli.main import run_command_line as watcher

    profiler, arguments = cProfile.Profile(), command(folder)
    with redirect_stdout(StringIO()):
        profiler.runcall(watcher, arguments)
    found = pstats.Stats(profiler)
    total = found.total_tt  # type: ignore[attr-defined]
    print(f"{count} articles, {total:.1f} s under the profiler")
    for room, (file, function) in ROOMS.items():
        took = sum(
            each[3]
            for (path, _, name), each in found.stats.items()  # type: ignore[attr-defined]
            if path.endswith(file) and name == function
        )
        print(f"  {room:28} {took:7.2f} s {100 * took / total:5.1f} %")


if __name__ == "__main__":
    main()
