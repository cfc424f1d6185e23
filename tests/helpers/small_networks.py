"""Networks small enough to work out by hand, and what stands for training in larger ones."""

import torch
from torch import nn


class Lambda(nn.Module):
    """Calls `function` with itself, which has the `children`, and the input."""

    def __init__(self, function, **children):
        super().__init__()
        self.function = function
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x):
        return self.function(self, x)


def three_neurons(dtype=torch.float64):
    """h1 = relu(x1 + 2·x2 − 1), h2 = relu(−x1 + x2); logits 3·h1 − h2 and h2."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2, bias=False)).to(dtype)
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 1.0]]))
        module[1].bias.copy_(torch.tensor([-1.0, 0.0]))
        module[3].weight.copy_(torch.tensor([[3.0, -1.0], [0.0, 1.0]]))
    return module


def image(*values, dtype=torch.float64):
    """The input of `three_neurons`."""
    return torch.tensor(values, dtype=dtype).view(1, 1, 1, -1)


def with_statistics(module):
    """Give each BatchNorm of `module` statistics, scales and offsets as training leaves them; float64, to evaluate."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-0.1, 0.1)
            norm.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(norm.weight, 0.8, 1.2)
            nn.init.uniform_(norm.bias, -0.1, 0.1)
    return module.double().eval()
