"""Hold the main job to its promise: files, accuracy, classes and distances."""

from __future__ import annotations

import json
import sys
from pathlib import Path

run = Path(sys.argv[1])
for name in ("run.json", "history.jsonl", "samples.png", "curves.png", "metrics.json", "report.html"):
    assert (run / name).stat().st_size > 0, f"{name} is missing or empty"
assert list((run / "checkpoints").glob("*.safetensors")), "no checkpoint"

metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
print(json.dumps(metrics, indent=2)[:4000])
