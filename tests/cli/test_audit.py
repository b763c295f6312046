"""`make audit`: what was not looked up is not called sound."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SOUND = {"name": "one", "version": "1.0", "vulns": []}
HOLED = {"name": "two", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
SKIPPED = {"name": "three", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ([SKIPPED, SKIPPED], 1, "nothing was checked"),
        ([], 1, "nothing was checked"),
        (None, 1, "nothing was checked"),
        ([SOUND, SKIPPED], 1, "1 of 2 packages were not checked: three"),
        ([SOUND, HOLED], 1, "two 2.0: PYSEC-1, mended in 2.1"),
        ([SOUND], 0, "1 packages checked, no known hole"),
    ],
)
def test_an_audit_is_fine_only_if_each_package_was_looked_up(given, code, words):
    told = "" if given is None else json.dumps({"dependencies": given, "fixes": []})

    done = subprocess.run(
        [sys.executable, "-m", "bench.audit"], input=told, capture_output=True, text=True, check=False
    )

    assert (done.returncode, words in done.stdout) == (code, True)
