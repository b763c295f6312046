"""
Says what `pip-audit --format json` found: fine only if every package was looked up and none has a known hole.

pip-audit itself ends with 0 and "no known vulnerabilities" where it could look up no package at all.

    pip-audit … --format json | python -m bench.audit
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any


def report(found: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what is wrong, a line each; nothing if all was checked and nothing was found."""
    skipped = [row for row in found if "skip_reason" in row]
    if len(skipped) == len(found):
        yield f"nothing was checked: none of {len(found)} packages could be looked up"
    elif skipped:
        yield f"{len(skipped)} of {len(found)} packages were not checked: {', '.join(row['name'] for row in skipped)}"
    for row in found:
        for hole in row.get("vulns", ()):
            fixed = ", ".join(hole["fix_versions"]) or "no version yet"
            yield f"{row['name']} {row['version']}: {hole['id']}, mended in {fixed}"


def main() -> int:
    """Read pip-audit's JSON from standard input; return the exit code."""
    try:
        found = json.load(sys.stdin)["dependencies"]
    except (ValueError, KeyError, TypeError):
        sys.stdout.write("nothing was checked: pip-audit said nothing that can be read\n")
        return 1
    lines = list(report(found))
    sys.stdout.write("\n".join(lines or [f"{len(found)} packages checked, no known hole"]) + "\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
