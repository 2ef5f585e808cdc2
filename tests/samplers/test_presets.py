from __future__ import annotations

import pytest
import torch

from gancore.errors import UnknownNameError
from gancore.kernels.langevin import philox_normal
from gancore.samplers import langevin, presets


@pytest.mark.parametrize(
    ("name", "temperature"),
    [("ddls", 1.0), ("repgan", 1.0), ("ex2mcmc", 1.0), ("cgan_ddls", 0.5), ("dgflow", 0.01), ("igebm", 1.25e-6),
     ("jem", 5e-5), ("meg", 10.0)],
)  # fmt: skip
def test_the_table_prints_the_temperature_that_is_sampled(name: str, temperature: float) -> None:
    assert presets()[name].temperature == pytest.approx(temperature)
    (line,) = (line for line in str(presets()).splitlines() if line.startswith(name + " "))
    assert f"{temperature:.3g}" in line.split("  ")[-1] or f"{temperature:.3g}" in line.split()


@pytest.mark.parametrize("name", presets())
def test_a_preset_is_the_loop_it_is_named_for(name: str) -> None:
    """z - a grad E + b xi, to the last digit of float32."""
    preset, z = presets()[name], torch.full((4, 3), 0.5)
    noise = torch.from_numpy(philox_normal((4, 3), seed=7, stream="proposal", step=0))
    got = langevin(lambda x: 0.05 * x.square().sum(dim=1), z, steps=1, seed=7, **preset.settings).x
    torch.testing.assert_close(got, z - preset.step_size * 0.1 * z + preset.noise * noise, rtol=1e-5, atol=1e-6)


def test_unknown_presets_are_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'dgflow'"):
        presets()["dgflo"]
    assert len(presets()) == len(str(presets()).splitlines()) - 1
