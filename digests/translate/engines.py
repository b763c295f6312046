"""Translation engines: Firefox's models on this machine, with their installation, and LibreTranslate."""

import hashlib
import json
import re
import shutil
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from digests.errors import TranslationError
from watcher.endpoints.json_endpoint import JsonEndpoint
from watcher.errors import FetchError, status_reason
from watcher.net.post import HttpPost
from watcher.settings.types import Secret

if TYPE_CHECKING:
    from fxtranslate import Translator

PIVOT = "en"  # Firefox's models are from or to English
PAIR = re.compile(r"([a-z]{2,3})-([a-z]{2,3})")  # the name of a model's folder
# "model.pten.intgemm.alphas.bin", "vocab.pten.spm" or "srcvocab" and "trgvocab", "lex.50.50.pten.s2t.bin".
ENDINGS = {"model": ".bin", "vocab": ".spm", "srcvocab": ".spm", "trgvocab": ".spm", "lex": ".bin"}
MAX_LOADED = 2  # models in memory, some 60 MB each: a route has two at most
SERVER_TIMEOUT_S = 15.0  # for one text
SERVER_BYTES = 256 << 10  # of an answer
MAX_FILE_BYTES = 200 << 20  # of a download: the largest of Firefox's files have 60 MB
TIMEOUT_S, DEADLINE_S = 30.0, 900.0
MODEL_FILES = (
    "model.{}.intgemm.alphas.bin",
    "vocab.{}.spm",
    "srcvocab.{}.spm",
    "trgvocab.{}.spm",
    "lex.50.50.{}.s2t.bin",
)
MODEL_HINT = "docs/guides/translation.md says where to get models, and how their files are named"


def _kind_of(name: str, pair: str) -> str:
    """Return which file of the model of `pair` has this name, as a key of `ENDINGS`; "" if none."""
    kind = name.partition(".")[0]
    is_ours = f".{pair.replace('-', '')}." in name and name.endswith(ENDINGS.get(kind, "/"))
    return kind if is_ours else ""


def find_models(folder: Path) -> dict[str, dict[str, Path]]:
    """Return the files by kind of each complete model in `folder`, by pair; none if there is no such folder."""
    files_of_pair: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*")):
        if PAIR.fullmatch(path.name):
            files = {kind: file for file in path.glob("*") if (kind := _kind_of(file.name, path.name))}
            if "model" in files and ("vocab" in files or files.keys() >= {"srcvocab", "trgvocab"}):
                files_of_pair[path.name] = files
    return files_of_pair


class FirefoxEngine:
    """Translates with the models in a folder, by English where a pair has no model of its own."""

    def __init__(self, folder: Path) -> None:
        self._models = find_models(folder)
        self._loaded: dict[str, Translator] = {}  # the one that was used last is the last
        self._versions: dict[str, str] = {}
        self.loads = 0  # how often a model was loaded

    def find_model(self, source: str, target: str) -> str | None:
        """Return a name of the models for a pair that changes with their content; None if one is missing."""
        pairs = self._route(source, target)
        for pair in pairs:
            if pair not in self._versions:
                content = self._models[pair]["model"].read_bytes()
                self._versions[pair] = f"{pair}/{hashlib.blake2b(content, digest_size=8).hexdigest()}"
        return "+".join(self._versions[pair] for pair in pairs) or None

    def translate(self, text: str, source: str, target: str) -> str:
        """Return one sentence translated. Errors: TranslationError, also for a model that breaks down."""
        for pair in self._route(source, target):
            try:
                text = self._load(pair).translate(text)
            except BaseException as error:
                # Of a panic in Rust, PyO3 makes an exception that is no Exception.
                if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                    raise
                raise TranslationError(f"the model {pair} cannot be used: {error}") from error
        return text

    def _route(self, source: str, target: str) -> tuple[str, ...]:
        direct, by_english = (f"{source}-{target}",), (f"{source}-{PIVOT}", f"{PIVOT}-{target}")
        return next((pairs for pairs in (direct, by_english) if self._models.keys() >= set(pairs)), ())

    def _load(self, pair: str) -> "Translator":
        """Return the translator of a pair such as "pt-en", loaded if needed; the one not used for longest goes."""
        if pair not in self._loaded:
            from fxtranslate import Translator  # late: an extra, for those who translate

            if len(self._loaded) == MAX_LOADED:
                del self._loaded[next(iter(self._loaded))]
            files = {kind: path.read_bytes() for kind, path in self._models[pair].items()}
            source, target = (files.get(kind) or files["vocab"] for kind in ("srcvocab", "trgvocab"))
            self._loaded[pair] = Translator(files["model"], source, target, files.get("lex"))
            self.loads += 1
        self._loaded[pair] = self._loaded.pop(pair)
        return self._loaded[pair]


class LibreTranslateEngine(JsonEndpoint):
    """Sends texts to the LibreTranslate server of the settings, by `POST …/translate`, without retries."""

    def __init__(self, url: str, key: Secret | None) -> None:
        self._api_key = {"api_key": key.reveal()} if key else {}
        super().__init__(url, "/translate", key=None, table="translate")

    def find_model(self, source: str, target: str) -> str | None:
        """Return the name under which its translations are kept: a server does not say which model it has."""
        return f"{self._host}/{source}-{target}"

    def translate(self, text: str, source: str, target: str) -> str:
        """Return a text translated. Errors: TranslationError with the server's message."""
        question = {"q": text, "source": source, "target": target, "format": "text"} | self._api_key
        body = self.post_json(question, timeout_s=SERVER_TIMEOUT_S, max_bytes=SERVER_BYTES)
        try:
            answer: Any = json.loads(body)
            return str(answer["translatedText"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self.make_error("did not answer with a translation") from error

    def make_error(self, words: str, **kind: Any) -> TranslationError:  # noqa: ANN401
        return TranslationError(f"the server {self._host} {words}")


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
            _download_files(f"{origin.rstrip('/')}/{pair}", pair, new)
        elif source.is_file():
            try:
                shutil.unpack_archive(source, unpacked, filter=None if source.suffix == ".zip" else "data")
            except (shutil.ReadError, ValueError) as error:
                raise TranslationError(f"{origin} is not an archive (zip, tar): {error}", hint=MODEL_HINT) from error
            source = unpacked
        elif not source.is_dir():
            raise TranslationError(f"there is no file or folder {origin}", hint=MODEL_HINT)
        for file in sorted(source.rglob("*")):
            if _kind_of(file.name, pair):
                shutil.copyfile(file, new / file.name)
        if pair not in find_models(new.parent):
            names = ", ".join(sorted(file.name for file in new.iterdir())) or "none of its files"
            raise TranslationError(f"{origin}: no complete model {pair}: found {names}", hint=MODEL_HINT)
        FirefoxEngine(new.parent).translate("2026.", *pair.split("-"))
        shutil.rmtree(folder / pair, ignore_errors=True)
        new.rename(folder / pair)


def _download_files(url: str, pair: str, folder: Path) -> None:
    """Download the files of a model that are under `url`; no other address is asked. Errors: TranslationError."""
    for name in (name.format(pair.replace("-", "")) for name in MODEL_FILES):
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
