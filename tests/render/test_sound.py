"""Editions as browsers, checkers and mail filters see them: no fault in any form, light or dark, narrow or wide."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
from dataclasses import replace
from email import policy
from pathlib import Path

import pytest

from digests.render.forms import MailHead, render
from tests.render.tools import CHROMIUM, FOLDER, JAVA, MODULES, VNU, needs

pytestmark = pytest.mark.slow
AXE = Path(__file__).parent / "browser" / "axe.mjs"
LINT = MODULES / ".bin" / "markdownlint-cli2"
# Lines are as long as the outlets write, anchors are elements, and the front matter has the title of the heading.
RULES = {"MD013": False, "MD033": {"allowed_elements": ["a"]}, "MD025": {"front_matter_title": ""}}
HEAD = MailHead(sender="World Digest <digest@example.org>", to=("reader@example.net",))


@pytest.fixture(scope="module")
def written(editions, tmp_path_factory) -> Path:
    """A folder with editions: one that has everything, one that is set from the right, a long and an empty one."""
    folder = tmp_path_factory.mktemp("editions")
    moved = editions.moved()
    made = {"moved": moved, "rtl": replace(moved, language="ar"), "long": editions.long(), "empty": editions.empty()}
    for name, edition in made.items():
        for form in render(edition, ["markdown", "html", "eml"], mail=HEAD):
            (folder / f"{name}.{form.format}").write_bytes(form.body)
        message = email.message_from_bytes((folder / f"{name}.eml").read_bytes(), policy=policy.default)
        (folder / f"{name}.mail.html").write_text(message.get_body(("html",)).get_content(), encoding="utf-8")
    return folder


def run(*words: str | Path, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, **more)


@needs("chromium", "node", packages=("axe-core", "playwright-core"))
def test_browsers_find_no_fault_no_overflow_and_ask_nobody(written):
    pages = sorted([*written.glob("*.html")])

    done = run("node", AXE, *pages, env={**os.environ, "EDITION_TOOLS": str(FOLDER), "CHROMIUM": str(CHROMIUM)})

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == len(pages) * 4
    assert [one["passes"] > 10 for one in found if one["passes"] is not None] == [True] * (2 * len(pages) + 2)
    faults = [one for one in found if one["violations"] or one["overflow"] > 0 or one["elsewhere"]]
    assert faults == []
    # On a phone the contents are folded and the first headline is on the first screen; on a wide page they are open.
    assert all(one["lead"] < 844 for one in found if one["width"] == 390)
    assert {one["contents"] for one in found if one["width"] == 390} <= {False, None}
    stories = [(one["width"] > 640, one["opened"]) for one in found if one["file"].endswith("/long.html")]
    assert all(all(opened) == is_wide and opened[0] for is_wide, opened in stories)
    assert {one["contents"] for one in found if one["width"] == 1280 and "mail" not in one["file"]} <= {True, None}


@needs("java", packages=("vnu-jar",))
def test_the_html_has_no_error(written):
    done = run(*JAVA, "-Xss2m", "-jar", VNU, "--format", "json", "--exit-zero-always", *sorted(written.glob("*.html")))

    messages = json.loads(done.stderr)["messages"]
    assert [(m["url"][-20:], m["message"]) for m in messages if m["type"] == "error"] == []


@needs("node", packages=("markdownlint-cli2",))
def test_the_markdown_is_without_slips(written):
    (written / ".markdownlint-cli2.jsonc").write_text(json.dumps({"config": RULES}))
    names = [path.rename(path.with_suffix(".md")).name for path in sorted(written.glob("*.markdown"))]

    done = run(LINT, *names, cwd=written)

    assert done.returncode == 0, done.stderr


@needs("spamassassin")
def test_filters_take_no_mail_for_spam(written):
    # Its preview of the text may end within a letter.
    done = run("spamassassin", "-L", "-t", *sorted(written.glob("*.eml")), errors="replace")

    scores = re.findall(r"^X-Spam-Status:.*?\sscore=(\S+)", done.stdout, re.MULTILINE)
    assert len(scores) == len([*written.glob("*.eml")])
    assert max(map(float, scores)) <= 0.5, done.stdout[-2000:]
