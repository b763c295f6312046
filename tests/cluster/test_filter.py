"""`watcher cluster --jsonl`: lines in, lines out, in order; a bad line stops nothing."""

import io
import json

from digests.cli.cluster import _cluster_lines
from tests.embedding_server import embedding_server

QUAKE = "Quake shakes Tarvola at dawn, houses collapse"
CHESS = "Chess club wins the northern cup again"
ROWS = [
    {"id": "a", "title": QUAKE, "language": "en", "published": "2026-03-02T06:00:00Z", "source": "One", "url": ""},
    {"id": 7, "title": CHESS, "body": None, "language": "en"},
    {"id": "b", "title": QUAKE.upper(), "language": "en_GB", "published": "2026-03-02"},
]


def run(lines):
    out = io.StringIO()
    code = _cluster_lines(lines, out, embedder="none")
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_line_comes_back_in_order_with_its_story_and_report():
    code, rows = run([json.dumps(row) for row in ROWS])

    assert code == 0
    assert [row["id"] for row in rows] == ["a", 7, "b"]
    assert rows[0]["story"] == rows[2]["story"] != rows[1]["story"]
    assert rows[0]["report"] == rows[2]["report"]


def test_bad_lines_are_named_and_the_rest_goes_on(capsys):
    bad = [
        "{",
        "[1]",
        '{"title": "no id"}',
        '{"id": "x"}',
        '{"id": "x", "title": 3}',
        '{"id": "x", "title": "t", "published": "soon"}',
    ]

    code, rows = run([*bad, "", json.dumps(ROWS[0])])

    assert code == 3
    assert [row["id"] for row in rows] == ["a"]
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [f"line {n}" for n in range(1, 7)]


def test_a_round_up_stands_alone_as_in_an_edition():
    briefing = {**ROWS[0], "id": "c", "title": f"Morning briefing: {QUAKE}", "source": "Two"}

    _, rows = run([json.dumps(row) for row in (*ROWS, briefing)])

    assert rows[3]["story"] not in {row["story"] for row in rows[:3]}


def test_an_id_given_twice_comes_back_twice():
    code, rows = run([json.dumps(ROWS[0]), json.dumps({**ROWS[1], "id": "a"})])

    assert code == 0
    assert [row["id"] for row in rows] == ["a", "a"]
    assert rows[0]["story"] != rows[1]["story"]


def test_the_order_of_lines_does_not_change_the_stories():
    _, forward = run([json.dumps(row) for row in ROWS])
    _, backward = run([json.dumps(row) for row in reversed(ROWS)])

    assert forward == backward[::-1]


def test_broken_unicode_stops_nothing():
    code, rows = run(['{"id": "\\ud800", "title": "half a \\ud83d sign"}', json.dumps(ROWS[0])])

    assert (code, len(rows)) == (0, 2)


def test_a_mark_of_byte_order_costs_no_line():
    code, rows = run(["\ufeff" + json.dumps(ROWS[0]), json.dumps(ROWS[1])])

    assert (code, [row["id"] for row in rows]) == (0, ["a", 7])


def test_no_lines_give_no_lines():
    assert run([]) == (0, [])


def test_the_endpoint_of_the_settings_makes_the_vectors(tmp_path, monkeypatch):
    with embedding_server() as server:
        settings = tmp_path / "settings.toml"
        settings.write_text(f'[semantic.endpoint]\nurl = "{server.url}"\nmodel = "words"\nbatch = 2\n')
        monkeypatch.setenv("WATCHER_CONFIG", str(settings))
        out = io.StringIO()

        assert _cluster_lines([json.dumps(row) for row in ROWS], out, embedder="endpoint") == 0

    assert [len(asked["input"]) for asked in server.requests] == [2, 1]
    assert len(out.getvalue().splitlines()) == 3


def test_a_copy_says_how_it_differs_from_its_origin():
    text = (
        "The ground shook for half a minute at dawn, and the old market hall of Tarvola fell in on its empty stalls.\n"
        "Most people were asleep in the upper town, where the houses are of wood and only chimneys came down.\n"
        "Soldiers dug with their hands until the machines arrived from the coast in the early afternoon.\n"
        "A school that had been closed for the holidays lost its roof and the whole of its southern wall.\n"
        "Trains stop at the bridge before the town, as nobody has yet looked at the piers of the railway."
    )
    first = {**ROWS[0], "body": text}
    second = {"id": "c", "title": "Walls fall", "body": "\n".join(text.split("\n")[:3]), "language": "en"}

    _, rows = run([json.dumps(row) for row in (second, first)])

    assert rows[0]["report"] == "a"
    assert rows[0]["copy"] == "cut to 60 %, different headline"
    assert "copy" not in rows[1]
