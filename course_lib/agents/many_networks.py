"""Small networks side by side: one for each seed, all in one pass.

What one seed learns says little, so the lessons train several. A network of 32 units is so small
that PyTorch spends its time on the calls; ten in one call cost little more than one.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ManyNetworks(nn.Module):
    """Networks of the same shape that share nothing.

    Args:
        num_networks: how many, called S below; at least 1.
        num_inputs: numbers that each takes.
        num_outputs: numbers that each gives.
        hidden: units per hidden layer.
        seed: of the first weights.
        last: scale of the last layer's first weights; a small one begins with outputs near 0.

    Raises:
        ValueError: if a size is below 1.
    """

    def __init__(
        self, num_networks: int, num_inputs: int, num_outputs: int, hidden: Sequence[int] = (32,),
        *, seed: int, last: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes = (num_inputs, *hidden, num_outputs)
        if min(num_networks, *sizes) < 1:
            raise ValueError(f"all sizes must be at least 1, got {num_networks} of {sizes}")
        dice = torch.Generator().manual_seed(seed)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for before, after in itertools.pairwise(sizes):
            weights = torch.randn(num_networks, before, after, generator=dice) / before**0.5
            self.weights.append(nn.Parameter(weights))
            self.biases.append(nn.Parameter(torch.zeros(num_networks, 1, after)))
        self.weights[-1].data *= last

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (S, N, num_inputs), each network its own -> outputs (S, N, num_outputs)."""
        layers = list(zip(self.weights, self.biases, strict=True))
        for weights, bias in layers[:-1]:
            inputs = torch.tanh(torch.baddbmm(bias, inputs, weights))
        return torch.baddbmm(layers[-1][1], inputs, layers[-1][0])
