"""A pack (all that is stored on one story) as a folder: writes it, with DOCX and ODT by pandoc, and checks it."""

import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from digests.errors import DigestError
from digests.model.pack import Pack
from digests.render import pack as render_pack
from digests.render.pack import DATA, PAGES, SUMS
from watcher.text.format import format_count

PANDOC_S = 60.0  # for one document
MAX_BYTES, MAX_FILES = 256 * 1024 * 1024, 50  # of a pack that is checked
DOCUMENTS = ("story.docx", "story.odt")


def write_pack(folder: Path, pack: Pack) -> Iterator[str]:
    """Write the files of a pack into a new or empty folder; yield what was written. Errors: DigestError."""
    files = render_pack.render(pack)
    documents = _make_documents(pack, files["story.md"]) if shutil.which("pandoc") else {}
    files |= documents
    files[SUMS] = render_pack.sums(files)
    try:
        if folder.exists() and any(folder.iterdir()):
            raise DigestError(f"{folder}: the folder is not empty", hint="give a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in files.items():
            (folder / name).write_bytes(body)
    except OSError as error:
        raise DigestError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    quotes = sum(len(article.quotes) for article in pack.articles)
    size = f"{format_count(len(pack.articles), 'article')}, {format_count(quotes, 'quotation')}"
    yield f"{folder}: {format_count(len(files), 'file')} on {pack.id}: {pack.title} ({size})"
    yield f"SHA-256 of its {SUMS}: {sha256(files[SUMS]).hexdigest()}"
    if not documents:
        yield "no DOCX and ODT: pandoc is not installed"


def _make_documents(pack: Pack, markdown: bytes) -> dict[str, bytes]:
    """Return the Markdown as DOCX and ODT. Errors: DigestError."""
    documents = {}
    with TemporaryDirectory() as place:
        for name in DOCUMENTS:
            # Not in its sandbox, where Debian's pandoc lacks its own files. All texts are escaped:
            # the document has no image, so no other file or address is opened.
            command = ["pandoc", "--from=commonmark", f"--output={place}/{name}"]
            env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "SOURCE_DATE_EPOCH": str(int(pack.made_at.timestamp()))}
            try:
                subprocess.run(command, input=markdown, capture_output=True, timeout=PANDOC_S, check=True, env=env)
            except (OSError, subprocess.SubprocessError) as error:
                output = getattr(error, "stderr", None) or str(error).encode()
                raise DigestError(f"pandoc could not make {name}: {output.decode('utf-8', 'replace')[:200]}") from error
            documents[name] = (Path(place) / name).read_bytes()
    return documents


def is_pack(path: Path) -> bool:
    try:
        return (path / SUMS).is_file() or (path.suffix == ".zip" and path.is_file())
    except (OSError, ValueError):  # a quote is no path
        return False


def check_pack(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the SHA-256 of a pack's sums, and what is wrong in it. Errors: DigestError, if it cannot be read."""
    try:
        files = dict(_read_files(path))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise DigestError(f"{path}: cannot be read: {error}") from error
    listed = files.pop(SUMS, b"")
    return sha256(listed).hexdigest(), tuple(_find_faults(files, listed))


def _find_faults(files: Mapping[str, bytes], listed: bytes) -> Iterator[str]:
    """Yield what is wrong in a pack: in words, a line for each file; `listed` is the content of its list of hashes."""
    rows = (line.split("  ", 1) for line in listed.decode("utf-8", "replace").splitlines())
    expected = {row[1]: row[0] for row in rows if len(row) == 2}
    if render_pack.sums(files) != listed:
        for name in sorted({*files, *expected}):
            if name not in files:
                yield f"{name}: is missing"
            elif name not in expected:
                yield f"{name}: is not in {SUMS}"
            elif sha256(files[name]).hexdigest() != expected[name]:
                yield f"{name}: has been changed, or its line in {SUMS} has"
        yield f"{SUMS}: is not the list of these files"
    try:
        pack = replace(render_pack.load(files.get(DATA, b"")), pages=files.get(PAGES, b""))
    except DigestError as error:
        yield str(error)
        return
    yield from render_pack.find_faults(pack)
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
