"""A LibreTranslate server: what is sent, and every answer that is none."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from digests.cli.check import check_translation
from digests.errors import TranslationError
from digests.settings.translate import TranslateSettings
from digests.translate.translator import make_engine
from watcher.cli.check import _format_results
from watcher.settings.load import parse_settings


class Server:
    def __init__(self) -> None:
        self.status, self.body = 200, json.dumps({"translatedText": "Rain"}).encode()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""


@pytest.fixture
def server():
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(server.body)))
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=partial(http.serve_forever, 0.02), daemon=True)
        thread.start()
        yield server
        http.shutdown()
        thread.join()


def engine_at(server, **more):
    given = {"engine": "libretranslate", "url": server.url} | more
    return make_engine(TranslateSettings.model_validate(given, context={}))


def test_a_text_is_sent_with_its_languages_and_the_key_and_nothing_else(server, monkeypatch):
    monkeypatch.setenv("LIBRETRANSLATE_KEY", "secret")
    engine = engine_at(server, key="env:LIBRETRANSLATE_KEY")

    assert engine.translate("Chuva", "pt", "en") == "Rain"

    question = {"q": "Chuva", "source": "pt", "target": "en", "format": "text", "api_key": "secret"}
    assert server.asked == [("/translate", question)]
    assert engine.find_model("pt", "en") != engine.find_model("pt", "de")


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (302, b"", "answered 302 Found"),
        (403, b'{"error": "Please contact the server operator to get an API key"}', "to get an API key"),
        (400, b'{"error": "xx is not supported"}', "answered 400 Bad Request: xx is not supported"),
        (500, b"", "answered 500 Internal Server Error"),
        (200, b"<html>", "did not answer with a translation"),
        (200, b"[" * 9_000, "did not answer with a translation"),
        (200, b"x" * 300_000, "answered with more than"),
    ],
)
def test_an_answer_that_is_none_is_said_to_be_so(status, body, told, server):
    server.status, server.body = status, body

    with pytest.raises(TranslationError, match=told):
        engine_at(server).translate("Chuva", "pt", "en")

    assert len(server.asked) == 1


SETTINGS = """
[[digests]]
language = "de"
[translate]
engine = "libretranslate"
url = "{url}"
[[sources]]
url = "https://a.example/feed"
language = "fr-CA"
[[sources]]
url = "https://b.example/feed"
language = "de"
[[sources]]
url = "https://c.example/feed"
language = "ar"
"""


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, b'{"translatedText": "radio"}', "1 translation server checked: 1 OK, 0 failed"),
        (400, b'{"error": "ar is not supported"}', "answered 400 Bad Request: ar is not supported"),
        (403, b'{"error": "Invalid API key"}', "try: check the key that [translate] key refers to"),
    ],
)
def test_check_online_has_the_server_translate_a_word_and_says_what_is_wrong(status, body, told, server, tmp_path):
    server.status, server.body = status, body
    settings = parse_settings(SETTINGS.format(url=server.url), tmp_path / "settings.toml")

    lines = list(_format_results(list(check_translation(settings))))

    assert any(told in line for line in lines)
    pairs = [(asked["source"], asked["target"]) for _, asked in server.asked]
    assert pairs == [("ar", "de"), ("fr", "de")][: 2 if status == 200 else 1]
