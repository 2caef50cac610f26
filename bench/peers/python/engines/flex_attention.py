"""PyTorch's FlexAttention, compiled by torch.compile."""

import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from engines.torch import array, start, tensor  # noqa: F401


def compiled(q, k, v, sees):
    """Where `sees(query, key)` holds."""
    L = q.shape[2]
    mask = create_block_mask(lambda b, h, i, j: sees(i, j), None, None, L, L, device="cpu")
    attend = torch.compile(flex_attention, dynamic=False)
    return lambda: attend(q, k, v, block_mask=mask)


def slidingWindowAttention(query, key, value, windowLeft, windowRight):
    return compiled(query, key, value, lambda i, j: (i - j <= windowLeft) & (j - i <= windowRight))


def neighborhoodAttention(query, key, value, kernelSize):
    """Over square maps whose tokens stand row by row, heads in front."""
    B, side, _, H, D = query.shape
    L, reach = side**2, kernelSize[0] // 2
    q, k, v = (x.reshape(B, L, H, D).transpose(1, 2).contiguous() for x in (query, key, value))

    def along(i, j):
        return (i.clamp(reach, side - 1 - reach) - j).abs() <= reach

    run = compiled(q, k, v, lambda i, j: along(i // side, j // side) & along(i % side, j % side))
    return run, lambda out: out.transpose(1, 2).reshape(query.shape)
