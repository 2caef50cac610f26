"""PyTorch in eager mode, modules as their authors have them under the names of their `state_dict`."""

import torch
from torch import nn
from torch.nn import functional as F

torch.set_grad_enabled(False)


def start(threads):
    torch.set_num_threads(threads)


def tensor(array):
    return torch.from_numpy(array)


def array(out):
    return out.numpy()


def scaledDotProductAttention(query, key, value, causal=False):
    if causal and key.shape[2] != query.shape[2]:
        return None
    grouped = key.shape[1] != query.shape[1]
    return lambda: F.scaled_dot_product_attention(
        query, key, value, is_causal=causal, enable_gqa=grouped
    )


def multiHeadAttention(query, key, value, heads, weights):
    """With biases of zero, which cost next to nothing: without them torch leaves its fast path."""
    module = nn.MultiheadAttention(query.shape[-1], heads, batch_first=True).eval()
    module.load_state_dict(weights, strict=False)
    one = torch.equal(query, key) and torch.equal(query, value)
    q, k, v = (query, query, query) if one else (query, key, value)
    return lambda: module(q, k, v, need_weights=False)[0]


def additiveAttention(query, key, value, weights):
    Wq, Wk, v = weights["Wq"], weights["Wk"], weights["v"]

    def run():
        terms = torch.tanh((query @ Wq.T).unsqueeze(2) + (key @ Wk.T).unsqueeze(1))
        return torch.softmax(terms @ v, -1) @ value

    return run


def neighborhoodAttention(query, key, value, kernelSize):
    """Masked, over square maps whose tokens stand row by row, heads in front."""
    B, side, _, H, D = query.shape
    L, reach = side**2, kernelSize[0] // 2
    q, k, v = (x.reshape(B, L, H, D).transpose(1, 2).contiguous() for x in (query, key, value))
    i, j = torch.arange(side)[:, None], torch.arange(side)
    along = (i.clamp(reach, side - 1 - reach) - j).abs() <= reach
    sees = (along[:, None, :, None] & along[None, :, None, :]).reshape(L, L)
    mask = torch.zeros(L, L).masked_fill(~sees, -torch.inf)
    return (
        lambda: F.scaled_dot_product_attention(q, k, v, mask),
        lambda out: out.transpose(1, 2).reshape(query.shape),
    )


def locallyGroupedAttention(query, key, value, height, width, windowHeight, windowWidth):
    """What lies between the projections of timm's LocallyGroupedAttn."""
    B, H, N, D = query.shape
    if height % windowHeight or width % windowWidth:
        return None
    rows, columns = height // windowHeight, width // windowWidth

    def part(x):
        windows = x.view(B, H, rows, windowHeight, columns, windowWidth, D).transpose(3, 4)
        return windows.reshape(B, H, rows * columns, windowHeight * windowWidth, D)

    def run():
        out = F.scaled_dot_product_attention(part(query), part(key), part(value))
        windows = out.view(B, H, rows, columns, windowHeight, windowWidth, D)
        return windows.transpose(3, 4).reshape(B, H, N, D)

    return run


def crossCovarianceAttention(query, key, value, temperature):
    """What lies between the projections of timm's XCA, which has channels in front of tokens."""
    q, k, v = (x.transpose(-2, -1).contiguous() for x in (query, key, value))

    def run():
        attention = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
        return torch.softmax(attention * temperature[:, None, None], -1) @ v

    return run, lambda out: out.transpose(-2, -1)


def linear(x, weights):
    return lambda: F.linear(x, weights["weight"], weights["bias"])


def softmax(x):
    return lambda: torch.softmax(x, -1)


def layerNorm(x, weights=None):
    weight, bias = (weights[name] if weights else None for name in ("weight", "bias"))
    return lambda: F.layer_norm(x, x.shape[-1:], weight, bias)


def gelu(x):
    return lambda: F.gelu(x)


def globalAveragePool(x):
    return lambda: x.mean(tuple(range(2, x.ndim)), keepdim=True)


def conv2d(x, weights, padding=0, dilation=1, groups=1):
    weight, bias = weights["weight"], weights["bias"]
    return lambda: F.conv2d(x, weight, bias, 1, padding, dilation, groups)


def convolve(weights, name, x, **options):
    return F.conv2d(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"), **options)


def norm(weights, name, x):
    vectors = (
        weights[f"{name}.{field}"] for field in ("running_mean", "running_var", "weight", "bias")
    )
    return F.batch_norm(x, *vectors)


def unit(weights, convolution, normalization, x, **options):
    return F.relu(norm(weights, normalization, convolve(weights, convolution, x, **options)))


def squeezeExcitation(x, weights):
    """torchvision.ops.SqueezeExcitation."""
    shaped = {
        name: weight[:, :, None, None] if weight.ndim == 2 else weight
        for name, weight in weights.items()
    }

    def run():
        hidden = F.relu(convolve(shaped, "fc1", F.adaptive_avg_pool2d(x, 1)))
        return torch.sigmoid(convolve(shaped, "fc2", hidden)) * x

    return run


def bam(x, weights):
    """Jongchan/attention-module, MODELS/bam.py."""
    c, s = "channel_att.gate_c.gate_c", "spatial_att.gate_s.gate_s"

    def dense(name, x):
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def run():
        pooled = F.avg_pool2d(x, x.shape[2:]).flatten(1)
        hidden = F.relu(norm(weights, f"{c}_bn_1", dense(f"{c}_fc_0", pooled)))
        channel = dense(f"{c}_fc_final", hidden)[:, :, None, None].expand_as(x)
        y = unit(weights, f"{s}_conv_reduce0", f"{s}_bn_reduce0", x)
        for i in range(2):
            y = unit(weights, f"{s}_conv_di_{i}", f"{s}_bn_di_{i}", y, padding=4, dilation=4)
        spatial = convolve(weights, f"{s}_conv_final", y).expand_as(x)
        return (1 + torch.sigmoid(channel * spatial)) * x

    return run


def cbam(x, weights):
    """Jongchan/attention-module, MODELS/cbam.py."""
    first, second = "ChannelGate.mlp.1", "ChannelGate.mlp.3"

    def perceptron(pooled):
        hidden = F.relu(F.linear(pooled, weights[f"{first}.weight"], weights[f"{first}.bias"]))
        return F.linear(hidden, weights[f"{second}.weight"], weights[f"{second}.bias"])

    def run():
        size = x.shape[2:]
        pooled = perceptron(F.avg_pool2d(x, size).flatten(1))
        pooled = pooled + perceptron(F.max_pool2d(x, size).flatten(1))
        y = x * torch.sigmoid(pooled)[:, :, None, None].expand_as(x)
        compressed = torch.cat((y.max(1)[0].unsqueeze(1), y.mean(1).unsqueeze(1)), 1)
        logits = convolve(weights, "SpatialGate.spatial.conv", compressed, padding=3)
        return y * torch.sigmoid(norm(weights, "SpatialGate.spatial.bn", logits))

    return run


def attentionGate(x, gating, weights):
    """ozan-oktay/Attention-Gated-Networks, grid_attention_layer.py, concatenation in two dimensions."""

    def run():
        theta = convolve(weights, "theta", x, stride=2)
        phi = F.interpolate(convolve(weights, "phi", gating), size=theta.shape[2:], mode="bilinear")
        f = torch.sigmoid(convolve(weights, "psi", F.relu(theta + phi)))
        f = F.interpolate(f, size=x.shape[2:], mode="bilinear")
        return norm(weights, "W.1", convolve(weights, "W.0", f.expand_as(x) * x))

    return run


def relations(weights, half, x, shape):
    """One half of RGA_Module (microsoft/Relation-Aware-Global-Attention-Networks)."""
    b, _, h, w = x.shape

    def embed(name, x):
        return unit(weights, f"{name}_{half}.0", f"{name}_{half}.1", x)

    theta = embed("theta", x).flatten(2).transpose(1, 2)
    g = torch.matmul(theta, embed("phi", x).flatten(2))
    g_in, g_out = (side.reshape(b, h * w, h, w) for side in (g.transpose(1, 2), g))
    related = embed("gg", torch.cat((g_in, g_out), 1))
    y = embed("W", torch.cat((embed("gx", x).mean(1, keepdim=True), related), 1))
    return torch.sigmoid(norm(weights, f"W_{half}.4", convolve(weights, f"W_{half}.3", y))).reshape(
        shape
    )


def rgaModule(x, weights):
    b, c, h, w = x.shape

    def run():
        y = x * relations(weights, "spatial", x, (b, 1, h, w))
        nodes = y.reshape(b, c, h * w).transpose(1, 2).unsqueeze(-1)
        return y * relations(weights, "channel", nodes, (b, c, 1, 1))

    return run


def bilinearAttention(x, weights):
    """PengfeiFANGanu/Attention-in-Attention-Networks, the bilinear kernel."""
    m = weights["dimReduceLayer1.conv.conv.weight"].shape[0]
    pairs = [(j, j + d) for d in range(m) for j in range(m - d)]
    first, second = (torch.tensor(side) for side in zip(*pairs))

    def layer(number, x):
        name = f"dimReduceLayer{number}.conv"
        return unit(weights, f"{name}.conv", f"{name}.bn", x)

    def run():
        r = layer(1, x)
        z = r[:, first] * r[:, second]
        return torch.sigmoid(layer(3, F.adaptive_avg_pool2d(z, 1)) * layer(2, z)) * x

    return run


def residualAttentionModule(x, weights, stage):
    """AttentionModule_stage1 of tengshaofeng/ResidualAttentionNetwork-pytorch."""
    if stage != 1:
        return None

    def active(normalization, convolution, x, **options):
        y = F.relu(norm(weights, normalization, x))
        return convolve(weights, convolution, y, **options)

    def block(name, x):
        y = x
        for i in (1, 2, 3):
            y = active(f"{name}.bn{i}", f"{name}.conv{i}", y, padding=int(i == 2))
        return x + y

    def chain(name, x):
        return block(f"{name}.1", block(f"{name}.0", x))

    def down(x):
        return F.max_pool2d(x, 3, 2, 1)

    def up(y, like):
        return F.interpolate(y, like.shape[2:], mode="bilinear", align_corners=True)

    def run():
        y = block("first_residual_blocks", x)
        trunk = chain("trunk_branches", y)
        d1 = block("softmax1_blocks", down(y))
        d2 = block("softmax2_blocks", down(d1))
        u = up(chain("softmax3_blocks", down(d2)), d2) + d2
        u = block("softmax4_blocks", u + block("skip2_connection_residual_block", d2))
        u = up(u, d1) + d1 + block("skip1_connection_residual_block", d1)
        u = up(block("softmax5_blocks", u), y) + trunk
        u = active("softmax6_blocks.0", "softmax6_blocks.2", u)
        mask = torch.sigmoid(active("softmax6_blocks.3", "softmax6_blocks.5", u))
        return block("last_blocks", (1 + mask) * trunk)

    return run
