"""Models from a folder, an archive and an address: whole and working, or not at all."""

from __future__ import annotations

import shutil
import tarfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from digests.errors import TranslationError
from digests.translate.engines import FirefoxEngine, find_models, install_model
from tests.translate.models import PACKAGE

pytestmark = pytest.mark.slow  # together they take some seconds

FILES = ["lex.50.50.pten.s2t.bin", "model.pten.intgemm.alphas.bin", "vocab.pten.spm"]


@pytest.fixture
def address(models, tmp_path):
    """Serve the models at an address; whatever is under /moved/ is said to be elsewhere."""
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path.startswith("/moved/"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/moved"))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                super().do_GET()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(models))) as http:
        thread = threading.Thread(target=partial(http.serve_forever, 0.02), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}", asked
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "address"])
def test_a_model_is_installed_from_a_folder_an_archive_or_an_address_and_translates(kind, models, address, tmp_path):
    origin = {"folder": models, "zip": tmp_path / "a.zip", "tar": tmp_path / "a.tar.gz", "address": address[0]}[kind]
    if kind == "zip":
        with zipfile.ZipFile(origin, "w") as archive:
            archive.write(models / "pt-en" / FILES[0], FILES[0])
            archive.writestr(f"../../{FILES[1]}", "outside")
            for name in FILES[1:]:
                archive.write(models / "pt-en" / name, f"deep/er/{name}")
            archive.writestr("deep/model.enpt.intgemm.alphas.bin", "another pair's")
    elif kind == "tar":
        with tarfile.open(origin, "w:gz", compresslevel=1) as archive:
            archive.add(models / "pt-en", "./deep/pt-en")

    install_model(tmp_path / "new", "pt-en", str(origin))

    assert sorted(path.name for path in (tmp_path / "new").rglob("*")) == sorted([*FILES, "pt-en"])
    assert FirefoxEngine(tmp_path / "new").translate("Chuva em Lisboa", "pt", "en") == "Rain in Lisbon"
    if kind == "address":
        assert {path.rpartition("/")[0] for path in address[1]} == {"/pt-en"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("incomplete", "no complete model pt-en: found model.pten"),
        ("other pair", "no complete model en-pt: found none"),
        ("broken", "the model pt-en cannot be used"),
        ("no archive", "is not an archive"),
        ("not there", "there is no file or folder .*nowhere"),
        ("moved", "answered 302 Found; redirects are not followed"),
        ("refused", "connection refused"),
    ],
)
def test_what_is_no_working_model_is_refused_and_the_one_that_was_there_stays(fault, told, models, address, tmp_path):
    pair, origin, there = "pt-en", tmp_path / "from", tmp_path / "models"
    origin.mkdir()
    shutil.copytree(models, there)
    if fault in ("incomplete", "broken"):
        names = FILES[1:2] if fault == "incomplete" else FILES
        for name in names:
            shutil.copy(models / "pt-en" / name, origin)
    match fault:
        case "broken":
            (origin / FILES[1]).write_bytes((origin / FILES[1]).read_bytes()[:100_000])
        case "other pair":
            pair, origin = "en-pt", models
        case "no archive":
            origin = origin / "a.zip"
            origin.write_text("no archive")
        case "not there":
            origin = origin / "nowhere"
        case "moved":
            origin = f"{address[0]}/moved"
        case "refused":
            origin = "http://127.0.0.1:1"

    with pytest.raises(TranslationError, match=told):
        install_model(there, pair, str(origin))

    assert [path.name for path in there.iterdir()] == ["pt-en"]
    assert FirefoxEngine(there).translate("Chuva em Lisboa", "pt", "en") == "Rain in Lisbon"


def test_two_models_translate_by_english_where_there_is_no_direct_one(models, tmp_path):
    """The model to Portuguese stands for one to Galician, as no other is at hand."""
    install_model(tmp_path, "pt-en", str(models))
    install_model(tmp_path, "en-pt", str(PACKAGE))
    for file in (tmp_path / "en-pt").iterdir():
        file.rename(file.with_name(file.name.replace("enpt", "engl")))
    (tmp_path / "en-pt").rename(tmp_path / "en-gl")

    engine = FirefoxEngine(tmp_path)

    assert list(find_models(tmp_path)) == ["en-gl", "pt-en"]
    there_and_back = engine.translate("O presidente visita a cidade de Lisboa", "pt", "gl")
    assert there_and_back == "O Presidente visita a cidade de Lisboa"
    name = engine.find_model("pt", "gl")
    assert [part.partition("/")[0] for part in name.split("+")] == ["pt-en", "en-gl"]
    assert (engine.find_model("pt", "de"), engine.find_model("gl", "en"), engine.loads) == (None, None, 2)
