"""The drill of alerts on a small invented corpus: killed at random, a process tells what it tells without a kill."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.slow  # starts thirty processes

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
STORIES = {
    "quake": "Earthquake shakes harbour town of Tarvola and {} houses fall",
    "storm": "Storm floods valley of Brenmark where {} bridges are closed",
    "vote": "Senate of Ostrava elects Kowalska speaker with {} votes",
}


def test_a_process_that_is_killed_tells_each_story_once_and_loses_none(tmp_path):
    rows = [
        {
            "id": f"{name}-{n}", "title": title.format(n + 20), "body": title.format(n + 20), "lang": "en",
            "cluster": name,
            "published": (START + timedelta(minutes=50 * n + 7 * len(name))).isoformat(),
        }
        for name, title in STORIES.items()
        for n in range(9)
    ]  # fmt: skip
    data = tmp_path / "articles.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)))

    command = (sys.executable, "-m", "bench.alert_drill", "--data", str(data), "--step", "90", "--kills", "5")
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "told in one run alone: 0; faults: 0" in run.stdout
    assert re.findall(r"told (\d) stories in (\d) messages", run.stdout) == [("3", "3")] * 2
    kills = re.findall(r"(\d+) kills", run.stdout)
    assert kills[0] == "0" != kills[1]
