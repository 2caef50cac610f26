"""OpenVINO: each operation as a model of its own, compiled for the CPU in float32."""

import numpy as np
import openvino as ov
from openvino import opset15 as ops

core = ov.Core()
config = {
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": "1",
    "ENABLE_CPU_PINNING": False,
}


def start(threads):
    config["INFERENCE_NUM_THREADS"] = threads


def tensor(array):
    return array


def array(out):
    return out


def compiled(express, *arrays):
    """`express` makes the output's node from the inputs'."""
    inputs = [ops.parameter(array.shape, np.float32) for array in arrays]
    model = ov.Model([express(*inputs)], inputs)
    request = core.compile_model(model, "CPU", config).create_infer_request()
    for index, array in enumerate(arrays):
        request.set_input_tensor(index, ov.Tensor(array, shared_memory=True))

    def run():
        request.infer()
        return request.get_output_tensor(0).data

    run.inputs = arrays  # the request does not keep what it shares

    return run


def scaledDotProductAttention(query, key, value, causal=False):
    """As products: ops.scaled_dot_product_attention takes up to 3 times as long."""
    (B, H, Lq, D), (_, shared, Lk, _) = query.shape, key.shape
    if causal and Lk != Lq:
        return None
    hidden = ops.constant(np.triu(np.full((Lq, Lk), -np.inf, np.float32), 1)) if causal else None

    def spread(x):
        """Heads that queries share, as exported models repeat them."""
        if shared == H:
            return x
        repeated = ops.broadcast(ops.unsqueeze(x, 2), np.array([B, shared, H // shared, Lk, D]))
        return ops.reshape(repeated, np.array([B, H, Lk, D]), False)

    def express(q, k, v):
        scaled = ops.multiply(q, ops.constant(np.float32(D**-0.5)))
        scores = ops.matmul(scaled, spread(k), False, True)
        weights = ops.softmax(ops.add(scores, hidden) if causal else scores, -1)
        return ops.matmul(weights, spread(v), False, False)

    return compiled(express, query, key, value)


def linear(x, weights):
    weight, bias = ops.constant(weights["weight"]), ops.constant(weights["bias"])
    return compiled(lambda x: ops.add(ops.matmul(x, weight, False, True), bias), x)


def conv2d(x, weights, padding=0, dilation=1, groups=1):
    weight, bias = weights["weight"], ops.constant(weights["bias"].reshape(1, -1, 1, 1))
    shape = [(1, 1), (padding, padding), (padding, padding), (dilation, dilation)]

    def express(x):
        if groups == 1:
            product = ops.convolution(x, ops.constant(weight), *shape)
        else:
            grouped = weight.reshape(groups, -1, *weight.shape[1:])
            product = ops.group_convolution(x, ops.constant(grouped), *shape)
        return ops.add(product, bias)

    return compiled(express, x)


def squeezeExcitation(x, weights):
    def layer(pooled, name):
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        product = ops.convolution(
            *(pooled, ops.constant(weight.reshape(*weight.shape, 1, 1))),
            *((1, 1), (0, 0), (0, 0), (1, 1)),
        )
        return ops.add(product, ops.constant(bias.reshape(1, -1, 1, 1)))

    def express(x):
        pooled = ops.reduce_mean(x, ops.constant(np.array([2, 3])), keep_dims=True)
        return ops.multiply(x, ops.sigmoid(layer(ops.relu(layer(pooled, "fc1")), "fc2")))

    return compiled(express, x)


def softmax(x):
    return compiled(lambda x: ops.softmax(x, -1), x)


def gelu(x):
    return compiled(lambda x: ops.gelu(x, "ERF"), x)


def globalAveragePool(x):
    axes = ops.constant(np.arange(2, x.ndim))
    return compiled(lambda x: ops.reduce_mean(x, axes, keep_dims=True), x)
