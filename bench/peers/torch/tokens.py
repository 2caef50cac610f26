"""Attention over tokens as PyTorch, timm, transformers and routing-transformer have it, on one thread.

    pip install torch timm transformers routing-transformer safetensors
    npm run build
    python bench/peers/torch/tokens.py [NAME...]

Each peer's output is first written as a case that `fovea verify` compares with fovea's own. Then its CPU
time is taken as modules.py does: held against `fovea bench NAME` of the same machine, whose workloads
these are. Peers compute in eager mode but for FlexAttention, which torch.compile compiles.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import torch
from modules import best_milliseconds
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

cli = Path(__file__).parents[3] / "dist" / "cli" / "main.js"


@dataclass
class Row:
    op: str
    workload: str
    peer: str
    run: Callable
    tensors: dict  # fovea's, weights under weights.NAME
    params: dict
    layout: Callable = lambda out: out  # from the peer's output to fovea's


def uniform(*shape):
    return torch.rand(shape) * 2 - 1


def heads(B, H, L, D):
    return {name: uniform(B, H, L, D) for name in ("query", "key", "value")}


def weights_of(module):
    return {f"weights.{name}": value for name, value in module.state_dict().items()}


def flex(q, k, v, L, sees):
    """FlexAttention, compiled, where `sees(query, key)` holds."""
    mask = create_block_mask(lambda b, h, i, j: sees(i, j), None, None, L, L, device="cpu")
    compiled = torch.compile(flex_attention, dynamic=False)
    return lambda: compiled(q, k, v, block_mask=mask)


def scaled_dot_product_attention():
    for causal in (False, True):
        t = heads(1, 8, 1024, 64)
        yield Row(
            *("scaledDotProductAttention", "1x8x1024x64" + " causal" * causal),
            "torch scaled_dot_product_attention",
            lambda: F.scaled_dot_product_attention(*t.values(), is_causal=causal),
            *(t, {"causal": causal}),
        )


def multi_head_attention():
    """With biases, which cost next to nothing: without them torch leaves its fast path."""
    for B, L, E, count in ((1, 512, 512, 8), (8, 197, 768, 12)):
        module, x = nn.MultiheadAttention(E, count, batch_first=True).eval(), uniform(B, L, E)
        yield Row(
            *("multiHeadAttention", f"{B}x{L}x{E}, {count} heads"),
            "torch MultiheadAttention",
            lambda: module(x, x, x, need_weights=False)[0],
            {"query": x, "key": x.clone(), "value": x.clone(), **weights_of(module)},
            {"heads": count},
        )


def additive_attention():
    for B, Lq, Lk, A, D in ((4, 128, 512, 256, 256), (16, 1, 1024, 512, 512)):
        q, k, value = uniform(B, Lq, D), uniform(B, Lk, D), uniform(B, Lk, D)
        wq, wk, v = uniform(A, D) * D**-0.5, uniform(A, D) * D**-0.5, uniform(A)

        def run():
            terms = torch.tanh((q @ wq.T).unsqueeze(2) + (k @ wk.T).unsqueeze(1))
            return torch.softmax(terms @ v, -1) @ value

        yield Row(
            *("additiveAttention", f"{B}x{Lq}x{Lk}, {A} channels", "torch, eager", run),
            {"query": q, "key": k, "value": value}
            | {"weights.Wq": wq, "weights.Wk": wk, "weights.v": v},
            {},
        )


class Copy(nn.Module):
    """In place of the query's projection, whose output LongformerSelfAttention overwrites."""

    def forward(self, x):
        return x.clone()


def sliding_window_attention():
    """Longformer without its projections: query, key and value are x."""
    from transformers import LongformerConfig
    from transformers.models.longformer.modeling_longformer import LongformerSelfAttention

    H, L, D, reach = 8, 8192, 64, 128
    name, params = f"1x{H}x{L}x{D}, {reach} keys either side", {"windowLeft": reach, "windowRight": reach}
    config = LongformerConfig(
        hidden_size=H * D, num_attention_heads=H, num_hidden_layers=1, attention_window=[2 * reach]
    )
    module, x = LongformerSelfAttention(config, 0).eval(), uniform(1, L, H * D)
    module.query, module.key, module.value = Copy(), nn.Identity(), nn.Identity()
    visible, none = torch.zeros(1, L), torch.zeros(1, L, dtype=torch.bool)

    def split(x):
        return x.reshape(1, L, H, D).transpose(1, 2).contiguous()

    yield Row(
        *("slidingWindowAttention", name, "transformers LongformerSelfAttention"),
        lambda: module(x, visible, none, none, False)[0],
        {name: split(x) for name in ("query", "key", "value")},
        *(params, split),
    )
    t = heads(1, H, L, D)
    run = flex(*t.values(), L, lambda i, j: (i - j).abs() <= reach)
    yield Row("slidingWindowAttention", name, "torch FlexAttention", run, t, params)


def neighborhood_attention():
    """Over tokens row by row; both peers get heads in front, as they want them."""
    B, side, H, D, kernel = 4, 56, 4, 32, 7
    shape, L = (B, side, side, H, D), side**2
    t = {name: uniform(*shape) for name in ("query", "key", "value")}
    q, k, v = (x.reshape(B, L, H, D).transpose(1, 2).contiguous() for x in t.values())

    def along(i, j):
        return (i.clamp(kernel // 2, side - 1 - kernel // 2) - j).abs() <= kernel // 2

    def sees(i, j):
        return along(i // side, j // side) & along(i % side, j % side)

    places = torch.arange(L)
    mask = torch.zeros(L, L).masked_fill(~sees(places[:, None], places), -torch.inf)
    peers = {
        "torch scaled_dot_product_attention, masked": lambda: F.scaled_dot_product_attention(q, k, v, mask),
        "torch FlexAttention": flex(q, k, v, L, sees),
    }
    for peer, run in peers.items():
        yield Row(
            *("neighborhoodAttention", f"{B}x{side}x{side}x{H}x{D}, kernel {kernel}", peer, run),
            *(t, {"kernelSize": [kernel, kernel]}),
            lambda out: out.transpose(1, 2).reshape(shape),
        )


def locally_grouped_attention():
    """What lies between the projections of timm's LocallyGroupedAttn."""
    B, H, side, D, window = 4, 2, 56, 32, 7
    t, count = heads(B, H, side**2, D), side // window

    def part(x):
        windows = x.view(B, H, count, window, count, window, D).transpose(3, 4)
        return windows.reshape(B, H, count**2, window**2, D)

    def run():
        out = F.scaled_dot_product_attention(*map(part, t.values()))
        return out.view(B, H, count, count, window, window, D).transpose(3, 4).reshape(B, H, side**2, D)

    yield Row(
        *("locallyGroupedAttention", f"{B}x{H}x{side}x{side}x{D}, windows {window}x{window}"),
        *("torch, eager", run, t),
        {"height": side, "width": side, "windowHeight": window, "windowWidth": window},
    )


def twins_lsa_block():
    from timm.models.twins import LocallyGroupedAttn

    B, side, C, H, window = 4, 56, 64, 2, 7
    module, x = LocallyGroupedAttn(C, H, ws=window).eval(), uniform(B, side**2, C)
    yield Row(
        *("twinsLsaBlock", f"{B}x{side}x{side}x{C}, {H} heads", "timm LocallyGroupedAttn"),
        lambda: module(x, (side, side)),
        {"x": x, **weights_of(module)},
        {"heads": H, "windowSize": window, "height": side, "width": side},
    )


def global_subsampled_attention():
    from timm.models.twins import GlobalSubSampleAttn

    for B, side, C, H, ratio in ((4, 56, 64, 2, 8), (4, 28, 128, 4, 4), (4, 14, 256, 8, 2)):
        module, x = GlobalSubSampleAttn(C, H, sr_ratio=ratio).eval(), uniform(B, side**2, C)
        yield Row(
            *("globalSubsampledAttention", f"{B}x{side}x{side}x{C}, {H} heads, ratio {ratio}"),
            "timm GlobalSubSampleAttn",
            lambda: module(x, (side, side)),
            {"x": x, **weights_of(module)},
            {"heads": H, "height": side, "width": side},
        )


def class_attention():
    from timm.models.cait import ClassAttn

    for B, N, C, H in ((8, 196, 384, 8), (1, 784, 768, 16)):
        module, x = ClassAttn(C, H).eval(), uniform(B, 1 + N, C)
        yield Row(
            *("classAttention", f"{B}x(1+{N})x{C}, {H} heads", "timm ClassAttn"),
            lambda: module(x),
            *({"x": x, **weights_of(module)}, {"heads": H}),
        )


def cross_covariance_attention():
    """What lies between the projections of timm's XCA, which has channels in front of tokens."""
    t, temperature = heads(4, 8, 784, 48), uniform(8)
    q, k, v = (x.transpose(-2, -1).contiguous() for x in t.values())

    def run():
        attention = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
        return torch.softmax(attention * temperature[:, None, None], -1) @ v

    yield Row(
        *("crossCovarianceAttention", "4x8x784x48", "torch, eager", run),
        *({**t, "temperature": temperature}, {}, lambda out: out.transpose(-2, -1)),
    )


def xca_block():
    from timm.models.xcit import XCA

    B, N, C, H = 4, 784, 384, 8
    module, x = XCA(C, H).eval(), uniform(B, N, C)
    yield Row(
        *("xcaBlock", f"{B}x{N}x{C}, {H} heads", "timm XCA", lambda: module(x)),
        *({"x": x, **weights_of(module)}, {"heads": H}),
    )


def routing_attention():
    from routing_transformer.routing_transformer import KmeansAttention

    H, L, D, clusters, window = 8, 4096, 64, 32, 128
    for shared in (False, True):
        module = KmeansAttention(clusters, window, H, D, causal=shared, shared_qk=shared).eval()
        module.kmeans.initted.fill_(True)
        t = heads(1, H, L, D)
        if shared:
            del t["key"]
        q, k, v = t["query"], t.get("key", t["query"]), t["value"]
        yield Row(
            "routingAttention",
            f"1x{H}x{L}x{D}, {clusters} clusters of {window}" + ", shared, causal" * shared,
            *("routing-transformer KmeansAttention", lambda: module(q, k, v)[0]),
            {**t, "centroids": module.kmeans.means},
            {"windowSize": window, "meanEps": 1e-5, "sharedQK": shared, "causal": shared},
        )


def verify(row, expected):
    """Has fovea compute the row too: raises where the two differ by more than float32 explains."""
    tensors = {**row.tensors, "expected.out": row.layout(expected)}
    tolerance = {"rtol": "1e-4", "atol": str(2e-5 * expected.abs().max().item())}
    metadata = {"op": row.op, "params": json.dumps(row.params), **tolerance}
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/{row.op}.safetensors"
        save_file({name: t.clone().contiguous() for name, t in tensors.items()}, file, metadata)
        subprocess.run(["node", cli, "verify", file], check=True, stdout=subprocess.PIPE)


groups = [
    *(scaled_dot_product_attention, multi_head_attention, additive_attention),
    *(sliding_window_attention, neighborhood_attention, locally_grouped_attention, twins_lsa_block),
    *(global_subsampled_attention, class_attention, cross_covariance_attention, xca_block),
    routing_attention,
]


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    chosen = [name.lower() for name in sys.argv[1:]]
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    with torch.inference_mode():
        for group in groups:
            if chosen and group.__name__.replace("_", "") not in chosen:
                continue
            for row in group():
                verify(row, row.run())
                time = best_milliseconds(row.run, seconds=1)
                print(f"{row.op:26} {row.workload:48} {row.peer:44} {time:8.3f} ms", flush=True)


if __name__ == "__main__":
    main()
