"""Installs a model of Firefox from a folder, an archive or an address, after it has translated a word."""

import shutil
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from digests.errors import TranslationError
from digests.translate.engines import FirefoxEngine, find_models, kind_of
from watcher.errors import FetchError, status_reason
from watcher.net.post import HttpPost

MAX_FILE_BYTES = 200 << 20  # of a download: the largest of Firefox's files have 60 MB
TIMEOUT_S, DEADLINE_S = 30.0, 900.0
FILES = ("model.{}.intgemm.alphas.bin", "vocab.{}.spm", "srcvocab.{}.spm", "trgvocab.{}.spm", "lex.50.50.{}.s2t.bin")
MODEL_HINT = "docs/guides/translation.md says where to get models, and how their files are named"


def install_model(folder: Path, pair: str, origin: str) -> None:
    """
    Put the model of `pair`, such as "pt-en", into `folder`, in place of an older one.

    `origin` is a folder or an archive, which may hold other models too, or the address of a folder with a folder for
    each pair. Errors: TranslationError if there is no such model, or it does not translate; OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".install-") as temporary:
        new, unpacked = Path(temporary, "new", pair), Path(temporary, "unpacked")
        new.mkdir(parents=True)
        source = Path(origin).expanduser()
        if origin.startswith(("https://", "http://")):
            download_files(f"{origin.rstrip('/')}/{pair}", pair, new)
        elif source.is_file():
            try:
                shutil.unpack_archive(source, unpacked, filter=None if source.suffix == ".zip" else "data")
            except (shutil.ReadError, ValueError) as error:
                raise TranslationError(f"{origin} is not an archive (zip, tar): {error}", hint=MODEL_HINT) from error
            source = unpacked
        for file in sorted(source.rglob("*")):
            if kind_of(file.name, pair):
                shutil.copyfile(file, new / file.name)
        if pair not in find_models(new.parent):
            names = ", ".join(sorted(file.name for file in new.iterdir())) or "none of its files"
            raise TranslationError(f"{origin}: no complete model {pair}: found {names}", hint=MODEL_HINT)
        FirefoxEngine(new.parent).translate("2026.", *pair.split("-"))
        shutil.rmtree(folder / pair, ignore_errors=True)
        new.rename(folder / pair)


def download_files(url: str, pair: str, folder: Path) -> None:
    """Download the files of a model that are under `url`; no other address is asked. Errors: TranslationError."""
    for name in (name.format(pair.replace("-", "")) for name in FILES):
        get = HttpPost(
            url=f"{url}/{name}",
            method="GET",
            body=b"",
            timeout_s=TIMEOUT_S,
            deadline_s=DEADLINE_S,
            max_bytes=MAX_FILE_BYTES,
        )
        try:
            response = get.run()
        except FetchError as error:
            raise TranslationError(f"{url}/{name}: {error.reason}") from error
        if response.status == HTTPStatus.OK:
            (folder / name).write_bytes(response.body)
        elif response.status != HTTPStatus.NOT_FOUND:
            moved = "; redirects are not followed" if response.status < HTTPStatus.BAD_REQUEST else ""
            raise TranslationError(f"{url}/{name}: answered {status_reason(response.status)}{moved}")
