"""The layers of PyTorch Image Models, in eager mode."""

from timm.models.cait import ClassAttn
from timm.models.twins import GlobalSubSampleAttn, LocallyGroupedAttn
from timm.models.xcit import XCA

from engines.torch import array, start, tensor  # noqa: F401


def loaded(module, weights):
    module.load_state_dict(weights)
    return module.eval()


def twinsLsaBlock(x, weights, heads, windowSize, height, width):
    module = loaded(LocallyGroupedAttn(x.shape[-1], heads, ws=windowSize), weights)
    return lambda: module(x, (height, width))


def globalSubsampledAttention(x, weights, heads, height, width):
    ratio = weights["sr.weight"].shape[-1]
    module = loaded(
        GlobalSubSampleAttn(x.shape[-1], heads, sr_ratio=ratio),
        weights
        | {
            "q.bias": x.new_zeros(x.shape[-1]),
            "kv.bias": x.new_zeros(2 * x.shape[-1]),
        },
    )
    return lambda: module(x, (height, width))


def classAttention(x, weights, heads):
    module = loaded(ClassAttn(x.shape[-1], heads), weights)
    return lambda: module(x)


def xcaBlock(x, weights, heads):
    module = loaded(XCA(x.shape[-1], heads), weights)
    return lambda: module(x)
