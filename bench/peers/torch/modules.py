"""The modules over feature maps as their authors' PyTorch code has them, eager, on one thread.

    python bench/peers/torch/modules.py

CPU time, best window of at least 20 ms within 0.6 s, as `fovea bench` measures: held against its rows of
the same names and shapes on the same machine.
"""

import time

import torch
from torch import nn
from torch.nn import functional as F


def unit(ins, outs, bias=False):
    return nn.Sequential(nn.Conv2d(ins, outs, 1, bias=bias), nn.BatchNorm2d(outs), nn.ReLU())


class RelationHalf(nn.Module):
    """One half of RGA_Module (microsoft/Relation-Aware-Global-Attention-Networks)."""

    def __init__(self, nodes, features, embedded, related, down=8):
        super().__init__()
        hidden = (1 + related) // down
        self.theta, self.phi, self.gx = (unit(features, embedded) for _ in range(3))
        self.gg = unit(2 * nodes, related)
        self.w = nn.Sequential(
            unit(1 + related, hidden), nn.Conv2d(hidden, 1, 1, bias=False), nn.BatchNorm2d(1)
        )

    def forward(self, x, shape):
        b, _, h, w = x.shape
        theta = self.theta(x).flatten(2).transpose(1, 2)
        phi = self.phi(x).flatten(2)
        g = torch.matmul(theta, phi)
        g_in = g.transpose(1, 2).reshape(b, h * w, h, w)
        g_out = g.reshape(b, h * w, h, w)
        relations = self.gg(torch.cat((g_in, g_out), 1))
        own = self.gx(x).mean(1, keepdim=True)
        return torch.sigmoid(self.w(torch.cat((own, relations), 1))).reshape(shape)


class RgaModule(nn.Module):
    def __init__(self, c, n, ratio=8):
        super().__init__()
        self.spatial = RelationHalf(n, c, c // ratio, n // ratio)
        self.channel = RelationHalf(c, n, n // ratio, c // ratio)

    def forward(self, x):
        b, c, h, w = x.shape
        x = x * self.spatial(x, (b, 1, h, w))
        nodes = x.reshape(b, c, h * w).transpose(1, 2).unsqueeze(-1)
        return x * self.channel(nodes, (b, c, 1, 1))


class BilinearAttention(nn.Module):
    """PengfeiFANGanu/Attention-in-Attention-Networks, the bilinear kernel."""

    def __init__(self, c, reduction=16):
        super().__init__()
        m = c // reduction
        self.reduce = unit(c, m, bias=True)
        self.outer = unit(m * (m + 1) // 2, c, bias=True)
        self.inner = unit(m * (m + 1) // 2, c, bias=True)
        pairs = [(j, j + d) for d in range(m) for j in range(m - d)]
        self.first, self.second = (torch.tensor(side) for side in zip(*pairs))

    def forward(self, x):
        r = self.reduce(x)
        z = r[:, self.first] * r[:, self.second]
        attention = self.inner(F.adaptive_avg_pool2d(z, 1)) * self.outer(z)
        return torch.sigmoid(attention) * x


class Bottleneck(nn.Module):
    """tengshaofeng/ResidualAttentionNetwork-pytorch, basic_layers.py."""

    def __init__(self, c):
        super().__init__()
        q = c // 4
        self.layers = nn.Sequential(
            *(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, q, 1, bias=False)),
            *(nn.BatchNorm2d(q), nn.ReLU(), nn.Conv2d(q, q, 3, padding=1, bias=False)),
            *(nn.BatchNorm2d(q), nn.ReLU(), nn.Conv2d(q, c, 1, bias=False)),
        )

    def forward(self, x):
        return x + self.layers(x)


class ResidualAttentionStage1(nn.Module):
    """AttentionModule_stage1 of the same repository."""

    def __init__(self, c):
        super().__init__()
        self.first, self.last = Bottleneck(c), Bottleneck(c)
        self.trunk = nn.Sequential(Bottleneck(c), Bottleneck(c))
        self.down = nn.ModuleList([Bottleneck(c), Bottleneck(c)])
        self.bottom = nn.Sequential(Bottleneck(c), Bottleneck(c))
        self.skip = nn.ModuleList([Bottleneck(c), Bottleneck(c)])
        self.up = nn.ModuleList([Bottleneck(c), Bottleneck(c)])
        self.head = nn.Sequential(
            *(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c, 1, bias=False)),
            *(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c, 1, bias=False)),
            nn.Sigmoid(),
        )
        self.pool = nn.MaxPool2d(3, 2, 1)

    def forward(self, x):
        y = self.first(x)
        trunk = self.trunk(y)
        d1 = self.down[0](self.pool(y))
        d2 = self.down[1](self.pool(d1))
        u = self.bottom(self.pool(d2))

        def up(v, like):
            return F.interpolate(v, like.shape[2:], mode="bilinear", align_corners=True)

        u = self.up[1](up(u, d2) + d2 + self.skip[1](d2))
        u = self.up[0](up(u, d1) + d1 + self.skip[0](d1))
        mask = self.head(up(u, y) + trunk)
        return self.last((1 + mask) * trunk)


class SqueezeExcitation(nn.Module):
    """torchvision.ops.SqueezeExcitation."""

    def __init__(self, c, hidden):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Conv2d(c, hidden, 1), nn.Conv2d(hidden, c, 1)

    def forward(self, x):
        return torch.sigmoid(self.fc2(F.relu(self.fc1(self.pool(x))))) * x


class Bam(nn.Module):
    """Jongchan/attention-module, MODELS/bam.py."""

    def __init__(self, c, reduction=16, dilation=4):
        super().__init__()
        r = c // reduction
        self.channel = nn.Sequential(
            *(nn.Flatten(), nn.Linear(c, r), nn.BatchNorm1d(r), nn.ReLU(), nn.Linear(r, c))
        )

        def dilated():
            conv = nn.Conv2d(r, r, 3, padding=dilation, dilation=dilation)
            return conv, nn.BatchNorm2d(r), nn.ReLU()

        self.spatial = nn.Sequential(
            *unit(c, r, bias=True), *dilated(), *dilated(), nn.Conv2d(r, 1, 1)
        )

    def forward(self, x):
        pooled = F.avg_pool2d(x, x.size(2), stride=x.size(2))
        of_channels = self.channel(pooled).unsqueeze(2).unsqueeze(3).expand_as(x)
        return (1 + torch.sigmoid(of_channels * self.spatial(x).expand_as(x))) * x


class Cbam(nn.Module):
    """Jongchan/attention-module, MODELS/cbam.py."""

    def __init__(self, c, reduction=16):
        super().__init__()
        r = c // reduction
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(c, r), nn.ReLU(), nn.Linear(r, c))
        self.spatial = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, x):
        size = x.shape[2:]
        pooled = self.mlp(F.avg_pool2d(x, size, stride=size))
        pooled = pooled + self.mlp(F.max_pool2d(x, size, stride=size))
        x = x * torch.sigmoid(pooled).unsqueeze(2).unsqueeze(3).expand_as(x)
        compressed = torch.cat((x.max(1)[0].unsqueeze(1), x.mean(1).unsqueeze(1)), 1)
        return x * torch.sigmoid(self.spatial(compressed))


class AttentionGate(nn.Module):
    """ozan-oktay/Attention-Gated-Networks, grid_attention_layer.py, concatenation in two dimensions."""

    def __init__(self, c, gating, inner):
        super().__init__()
        self.w = nn.Sequential(nn.Conv2d(c, c, 1), nn.BatchNorm2d(c))
        self.theta = nn.Conv2d(c, inner, 2, stride=2, bias=False)
        self.phi, self.psi = nn.Conv2d(gating, inner, 1), nn.Conv2d(inner, 1, 1)

    def forward(self, x, g):
        theta = self.theta(x)
        phi = F.interpolate(self.phi(g), size=theta.shape[2:], mode="bilinear")
        f = torch.sigmoid(self.psi(F.relu(theta + phi)))
        f = F.interpolate(f, size=x.shape[2:], mode="bilinear")
        return self.w(f.expand_as(x) * x)


def best_milliseconds(run, seconds=0.6, window=0.02):
    run()
    calls, best, spent = 1, float("inf"), 0.0
    while spent < seconds:
        start = time.process_time()
        for _ in range(calls):
            run()
        elapsed = time.process_time() - start
        spent += elapsed
        if elapsed < window:
            calls *= 2
        else:
            best = min(best, elapsed / calls)
    return 1e3 * best


def main():
    torch.set_num_threads(1)
    rows = [
        ("rgaModule", RgaModule(256, 128), [(4, 256, 16, 8)]),
        ("bilinearAttention", BilinearAttention(256), [(2, 256, 24, 8)]),
        ("residualAttentionModule, stage 1", ResidualAttentionStage1(256), [(1, 256, 56, 56)]),
        ("bam", Bam(256), [(4, 256, 28, 28)]),
        ("cbam", Cbam(256), [(8, 256, 56, 56)]),
        ("attentionGate", AttentionGate(64, 128, 32), [(4, 64, 64, 64), (4, 128, 32, 32)]),
        ("squeezeExcitation", SqueezeExcitation(256, 16), [(8, 256, 112, 112)]),
    ]
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    with torch.inference_mode():
        for name, module, shapes in rows:
            module.eval()
            inputs = [torch.rand(shape) * 2 - 1 for shape in shapes]
            title = f"{name} {' and '.join('x'.join(map(str, shape)) for shape in shapes)}"
            print(f"{title:48} {best_milliseconds(lambda: module(*inputs)):8.3f} ms")


if __name__ == "__main__":
    main()
