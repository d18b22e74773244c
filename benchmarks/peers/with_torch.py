"""SASRec in plain PyTorch, with its fused attention."""

import sys

import numpy as np
import torch
from step_clock import StepClock
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, dim, rate):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.attention, self.output = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.inner, self.outer = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.rate, self.dropout = rate, nn.Dropout(rate)

    def forward(self, x):
        query, key, value = self.attention(self.norms[0](x)).chunk(3, dim=-1)
        h = F.scaled_dot_product_attention(
            query, key, value, dropout_p=self.rate, is_causal=True
        )
        x = x + self.dropout(self.output(h))
        h = self.dropout(F.relu(self.inner(self.norms[1](x))))
        return x + self.dropout(self.outer(h))


class SASRec(nn.Module):
    def __init__(self, num_items, length, dim=64, num_blocks=2, rate=0.2):
        super().__init__()
        self.items = nn.Embedding(num_items + 1, dim)
        self.positions = nn.Embedding(length, dim)
        self.dropout, self.norm = nn.Dropout(rate), nn.LayerNorm(dim)
        self.blocks = nn.Sequential(*(Block(dim, rate) for _ in range(num_blocks)))

    def forward(self, x):
        x = self.dropout(self.items(x) * 8 + self.positions.weight)
        return self.norm(self.blocks(x)) @ self.items.weight.T


rows = torch.from_numpy(np.load(sys.argv[1]))
model = SASRec(int(rows.max()), rows.shape[1] - 1)
optimizer = torch.optim.Adam(model.parameters())
clock = StepClock()
while True:
    clock()
    chosen = rows[torch.randint(0, len(rows), (128,))]
    optimizer.zero_grad()
    logits = model(chosen[:, :-1])
    F.cross_entropy(logits.flatten(0, 1), chosen[:, 1:].flatten()).backward()
    optimizer.step()
