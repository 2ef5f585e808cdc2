"""Whether samplers lower the Fréchet distance on images, seen through a classifier of the data, with intervals.

``python examples/samplers_images.py --run FOLDER`` judges a run of ``gancore train``; with ``--write docs/sampling.md``
it puts the table between that file's two ``images`` marks. Without a run, a small one is trained on digits, in a CPU
minute.
"""

import argparse
import os
import warnings
from pathlib import Path

import gancore
from gancore.errors import SampleSizeWarning, SamplingWarning
from gancore.evaluation.panel import classifier_of
from gancore.evaluation.reload import calibration_data, reload_data
from gancore.samplers import compare_samplers

QUICK = "GANCORE_EXAMPLE_STEPS" in os.environ
STEPS = int(os.environ.get("GANCORE_EXAMPLE_STEPS", "1500"))
N, SEEDS = (100, (0, 1)) if QUICK else (1000, (0, 1, 2, 3, 4))

if QUICK:
    # Some hundred samples of a network of twenty steps: there is nothing to find.
    warnings.simplefilter("ignore", SampleSizeWarning)
    warnings.simplefilter("ignore", SamplingWarning)

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--run", help="folder of a run")
parser.add_argument("--write", type=Path, help="a Markdown file with the two marks")
options, _ = parser.parse_known_args()
run = gancore.Run.load(options.run) if options.run else gancore.train("dcgan", "digits", steps=STEPS, progress=False)

real = reload_data(run.data_name, shape=run.shape)
held_out, is_test = calibration_data(run, real)
classifier = classifier_of(real, run.folder)
found = compare_samplers(
    run.generator,
    run.critic,
    real,
    latent_dim=run.system.latent_dim,
    prior=run.system.prior,
    critic_kind=run.system.objective.critic_kind,
    samplers={"DDLS": ("ddls", {"steps": 2 if QUICK else 20}), "DRS": ("rejection", {})},
    metrics=["fid", "precision", "coverage"],
    features=classifier.features,
    n=N,
    seeds=SEEDS,
    calibrate=held_out,
)
lines = [
    f"### {run.data_name}: {run.system.name}, step {run.step:,}, {len(SEEDS)} seeds of {N:,} samples",
    "",
    found.table,
    "",
]
for name in found.found:
    if name != "plain":
        delta = found.delta(name, "fid")
        low, high = delta.interval or (float("nan"),) * 2
        slope = found.found[name].info.calibration["slope"]
        lines.append(
            f"- {name}: FID {delta.value:+.3g}, 95 % interval {low:+.3g} to {high:+.3g}; the critic's slope is "
            f"{slope:.2f} on {'held-out' if is_test else 'its own'} real samples; {found.verdicts[name]}"
        )
lines += [f"- {name}: could not sample: {text}" for name, text in found.failures.items()]
text = "\n".join(lines) + "\n"
print(text)
if options.write:
    before, mark, rest = options.write.read_text(encoding="utf-8").partition("<!-- images -->\n")
    after = rest.partition("<!-- end of images -->\n")[2]
    options.write.write_text(f"{before}{mark}\n{text}\n<!-- end of images -->\n{after}", encoding="utf-8")
