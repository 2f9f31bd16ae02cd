"""Dense and convolutional networks for digits, as torch.export.save writes them."""

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

folder = Path(sys.argv[1])
torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
flat, truth = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
networks = {
    "dense": (flat, nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(1))),
    "image": (
        flat.reshape(-1, 1, 8, 8),
        nn.Sequential(
            *(nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(1)),
        ),
    ),
}
for name, (rows, network) in networks.items():
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(50):
        optimizer.zero_grad()
        nn.functional.nll_loss(network(rows).log(), truth).backward()
        optimizer.step()
    shapes = ({0: torch.export.Dim("rows")},)
    program = torch.export.export(network.eval(), (rows[:4],), dynamic_shapes=shapes)
    torch.export.save(program, folder / f"{name}.pt2")
