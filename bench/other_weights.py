"""
Runs `watcher` with other weights of grouping, to judge a day by a model that was not fitted on it.

    python -m bench.other_weights FOLDER/grouping.json cluster --jsonl < articles.jsonl
"""

import json
import sys
from pathlib import Path

from digests.cluster import pair_model
from watcher.__main__ import main

if __name__ == "__main__":
    weights = json.loads(Path(sys.argv.pop(1)).read_text("ascii"))
    pair_model.read_weights = lambda: weights
    main()
