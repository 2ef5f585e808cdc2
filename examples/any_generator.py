"""Better samples from a plain torch generator and critic, whoever trained them.

Run with ``python examples/any_generator.py``; a few seconds.
"""

import torch
from torch import nn

from gancore.samplers import compare_samplers, ddls

# Somebody's networks: a generator that is a random linear map, and a critic that has learned what is wrong with it.
torch.manual_seed(0)
generator = nn.Linear(4, 2)
critic = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
real = 0.5 * torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
for _ in range(300):
    fake = generator(torch.randn(256, 4)).detach()
    loss = nn.functional.softplus(critic(fake)).mean() + nn.functional.softplus(-critic(real[:256])).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# The ten lines: samples led by the critic, and whether they are better.
held_out = real[2000:]
better = ddls(generator, critic, 1000, latent_dim=4, steps=50, calibrate=held_out)
print(
    f"critic's slope {better.info.calibration['slope']:.2f}, log-loss {better.info.calibration['log_loss_after']:.2f}"
)
found = compare_samplers(
    generator,
    critic,
    held_out,
    latent_dim=4,
    samplers=["ddls", "rejection"],
    metrics=["fid", "precision", "coverage"],
    n=300,
    settings={"ddls": {"steps": 50}},
)
print(found)
