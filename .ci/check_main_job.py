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
scores = metrics["scores"]
fid = {name: scores[name]["fid"]["value"] for name in ("untrained", "plain", "ddls")}
accuracy = scores["plain"]["fid"]["protocol"]["accuracy"]
classes = {name: scores[name]["classes"]["value"] for name in ("plain", "ddls")}
print(f"FID {fid}, classes {classes}, accuracy of the classifier on held-out digits {accuracy:.4f}")

assert accuracy > 0.97, "the classifier must read held-out digits"
assert set(classes.values()) == {10}, "every class must be found"
assert fid["plain"] <= fid["untrained"] / 5, "training must bring the distance down at least five times"
# Half the width of the interval is what two draws of as many samples may differ by.
low, high = scores["ddls"]["fid"]["interval"]
assert fid["ddls"] <= fid["plain"] + (high - low) / 2, "DDLS must not make it worse"
