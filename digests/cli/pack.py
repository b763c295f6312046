"""A pack (all that is stored on one story) as a folder: writes it, with DOCX and ODT by pandoc, and checks it."""

import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from digests.delivery.file import write_files
from digests.errors import DigestError
from digests.model.delivery import Rendered
from digests.model.pack import Pack
from digests.render import pack as render_pack
from digests.render.pack import DATA, PAGES, SUMS
from watcher.text.format import format_count

DOCUMENT_FORMS = ("docx", "odt")  # that pandoc makes
PANDOC_S = 60.0  # for one document
MAX_BYTES, MAX_FILES = 256 * 1024 * 1024, 50  # of a pack that is checked


def write_pack(folder: Path, pack: Pack) -> Iterator[str]:
    """Write the files of a pack into a new or empty folder; yield what was written. Errors: DigestError."""
    if any(folder.glob("*")):
        raise DigestError(f"{folder}: the folder is not empty", hint="give a new folder")
    files = render_pack.render(pack)
    forms = DOCUMENT_FORMS if shutil.which("pandoc") else ()
    files |= {f"story.{form}": _make_document(pack, files["story.md"], form) for form in forms}
    files[SUMS] = render_pack.sums(files)
    write_files([Rendered(format="", name=name, body=body) for name, body in files.items()], folder, channel="--pack")
    quotes = sum(len(article.quotes) for article in pack.articles)
    size = f"{format_count(len(pack.articles), 'article')}, {format_count(quotes, 'quotation')}"
    yield f"{folder}: {format_count(len(files), 'file')} on {pack.id}: {pack.title} ({size})"
    yield f"SHA-256 of its {SUMS}: {render_pack.sha256_of(files[SUMS])}"
    if not forms:
        yield "no DOCX and ODT: pandoc is not installed"


def _make_document(pack: Pack, markdown: bytes, form: str) -> bytes:
    """Return the Markdown as a document of one of `DOCUMENT_FORMS`. Errors: DigestError."""
    # Not in its sandbox, where Debian's pandoc lacks its own files. All texts are escaped:
    # the document has no image, so no other file or address is opened.
    command = ["pandoc", "--from=commonmark", f"--to={form}", "--output=-"]
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "SOURCE_DATE_EPOCH": str(int(pack.made_at.timestamp()))}
    try:
        made = subprocess.run(command, input=markdown, capture_output=True, timeout=PANDOC_S, check=True, env=env)
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or str(error).encode()
        raise DigestError(f"pandoc could not make {form}: {output.decode('utf-8', 'replace')[:200]}") from error
    return made.stdout


def is_pack(path: Path) -> bool:
    with suppress(OSError, ValueError):  # a quote is no path
        return (path / SUMS).is_file() or (path.suffix == ".zip" and path.is_file())
    return False


def check_pack(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the SHA-256 of a pack's sums, and what is wrong in it. Errors: DigestError, if it cannot be read."""
    try:
        files = dict(_read_files(path))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise DigestError(f"{path}: cannot be read: {error}") from error
    listed = files.pop(SUMS, b"")
    return render_pack.sha256_of(listed), tuple(_find_faults(files, listed))


def _find_faults(files: Mapping[str, bytes], listed: bytes) -> Iterator[str]:
    """Yield what is wrong in a pack: in words, a line for each file; `listed` is the content of its list of hashes."""
    sums = render_pack.sums(files)
    listed_rows, rows = (set(text.decode("utf-8", "replace").splitlines()) for text in (listed, sums))
    listed_names = {row.partition("  ")[2] for row in listed_rows}
    for name in sorted({row.partition("  ")[2] for row in listed_rows ^ rows}):
        fault = f"has been changed, or its line in {SUMS} has" if name in listed_names else f"is not in {SUMS}"
        yield f"{name}: {fault if name in files else 'is missing'}"
    if sums != listed:
        yield f"{SUMS}: is not the list of these files"
    try:
        pack = replace(render_pack.load(files.get(DATA, b"")), pages=files.get(PAGES, b""))
    except DigestError as error:
        yield str(error)
        return
    if pack.pages_of and render_pack.sha256_of(pack.pages) != pack.pages_sha256:
        yield f"{PAGES}: the pages do not have the SHA-256 that the pack says"
    for article in pack.articles:
        if article.text is not None and render_pack.sha256_of(article.text) != article.text_sha256:
            yield f"article {article.id}: its text does not have the SHA-256 that the pack says"
    for name, body in render_pack.render(pack).items():
        if files.get(name) != body:
            yield f"{name}: is not what the data in {DATA} gives"


def format_pack(name: str, sums_hash: str, faults: tuple[str, ...]) -> Iterator[str]:
    outcome = format_count(len(faults), "problem") if faults else "all files and quotations are as they were made"
    yield f"{name}: {outcome}"
    yield f"  SHA-256 of its {SUMS}: {sums_hash} (compare it with what the maker of the pack says)"
    yield from (f"  {fault}" for fault in faults)


def _read_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder or a ZIP archive. Errors: DigestError, if they are too large for a pack."""
    members: Iterator[Path | zipfile.Path] = zipfile.Path(path).iterdir() if path.is_file() else path.iterdir()
    left = MAX_BYTES
    for number, each in enumerate(members):
        body = b""
        if each.is_file():
            with each.open("rb") as opened:
                body = opened.read(left + 1)
        left -= len(body)
        if number >= MAX_FILES or left < 0:
            raise DigestError(f"{path}: is too large for a pack")
        yield each.name, body
