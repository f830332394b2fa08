"""Golden cases of single operators, computed by PyTorch in float64.

Names are CASE.ROLE, for example `conv2d.k5s1p2.src`. Attributes of a case are JSON in the file's metadata under CASE.
Every input is a float32 number (stored as float64), so that a float32 implementation starts from the very same values.

Roles: `src` (or `src0`, `src1`), `wei`, `bia`, `dst`; the incoming gradient `d_dst`; the results `d_src`, `d_wei`,
`d_bia`; normalisation adds `gamma`, `beta`, `moving_mean`, `moving_variance` (before) and `new_moving_mean`,
`new_moving_variance` (after), `d_gamma`, `d_beta`; losses add `target` or `labels` and have no `d_dst` (it is 1).

Layouts:
- activations NHWC [n, h, w, c]; dense activations [n, c];
- conv2d filters KRSC [out, kernel row, kernel column, in]; padding [top, bottom, left, right];
- conv_transpose2d filters [in, kernel row, kernel column, out]: the KRSC filter of the convolution out -> in whose
  backward-data pass the operator is; padding is that convolution's, the output is (h-1)*stride + k - top - bottom;
- dense weights [out, in].

Optimiser cases hold `param`, `grad1` ... `grad3` and the parameter after each step, `step1` ... `step3`, for a list of
two parameters (`param.0`, `param.1`, ...).
"""

import math

import numpy as np
import torch
from torch.nn import functional as F


class Cases:
    """Collects tensors and attributes under case names; draws its inputs from one seeded generator."""

    def __init__(self, seed):
        self.tensors = {}
        self.metadata = {}
        self.random = np.random.Generator(np.random.Philox(seed))

    def draw(self, *shape, scale=1.0):
        """Returns standard normal values times `scale`, rounded to float32, as a float64 leaf tensor."""
        values = (self.random.standard_normal(shape) * scale).astype(np.float32)
        return torch.tensor(values, dtype=torch.float64, requires_grad=True)

    def integers(self, high, *shape):
        return torch.tensor(self.random.integers(0, high, shape), dtype=torch.int64)

    def add(self, case, attributes, roles):
        self.metadata[case] = attributes
        for role, tensor in roles.items():
            self.tensors[f"{case}.{role}"] = tensor.detach()

    def differentiable(self, case, attributes, inputs, function, extra=None):
        """Adds `inputs`, dst = function(*inputs), a random d_dst (scalar results take 1) and every input's gradient."""
        dst = function(*inputs.values())
        roles = {**inputs, "dst": dst, **(extra or {})}
        if dst.dim() == 0:
            d_dst = torch.ones_like(dst)
        else:
            d_dst = roles["d_dst"] = self.draw(*dst.shape)
        names = [name for name, value in inputs.items() if value.requires_grad]
        for name, gradient in zip(names, torch.autograd.grad(dst, [inputs[name] for name in names], d_dst)):
            roles[f"d_{name}"] = gradient
        self.add(case, attributes, roles)


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def conv2d(src, wei, bia, stride=(1, 1), pad=(0, 0, 0, 0)):
    """NHWC convolution with a KRSC filter and padding [top, bottom, left, right]."""
    padded = F.pad(nchw(src), (pad[2], pad[3], pad[0], pad[1]))
    return nhwc(F.conv2d(padded, wei.permute(0, 3, 1, 2), bia, stride))


def conv_transpose2d(src, wei, bia, stride, pad):
    """NHWC transposed convolution with a filter [in, kernel row, kernel column, out]; the padding crops the result."""
    full = F.conv_transpose2d(nchw(src), wei.permute(0, 3, 1, 2), bia, stride)
    return nhwc(full[:, :, pad[0] : full.shape[2] - pad[1], pad[2] : full.shape[3] - pad[3]])


def upsample2x(src):
    """Nearest 2x upsampling of NHWC."""
    return src.repeat_interleave(2, 1).repeat_interleave(2, 2)


def max_pool2d(src, k=2):
    return nhwc(F.max_pool2d(nchw(src), k))


def same(size, k, stride):
    """Keras's `same` padding of one dimension: (before, after), the odd element after."""
    total = max((math.ceil(size / stride) - 1) * stride + k - size, 0)
    return total // 2, total - total // 2


def convolutions(cases):
    """k, stride, padding, H != W, Keras's uneven `same` padding, one and many channels."""
    table = {
        "k1s1": (2, 4, 3, 5, 6, 1, (1, 1), (0, 0, 0, 0)),
        "k3s1p1": (2, 5, 7, 3, 4, 3, (1, 1), (1, 1, 1, 1)),
        "k4s2p1": (2, 8, 6, 3, 5, 4, (2, 2), (1, 1, 1, 1)),
        "k5s1p2": (2, 7, 5, 4, 6, 5, (1, 1), (2, 2, 2, 2)),
        "k5s1p2_one_in": (2, 6, 9, 1, 8, 5, (1, 1), (2, 2, 2, 2)),
        "k5s1p2_one_out": (2, 6, 9, 8, 1, 5, (1, 1), (2, 2, 2, 2)),
        "k5s2_same": (2, 8, 6, 3, 4, 5, (2, 2), same(8, 5, 2) + same(6, 5, 2)),
        "k5s2_same_odd": (1, 7, 9, 2, 3, 5, (2, 2), same(7, 5, 2) + same(9, 5, 2)),
        "k3s2p0": (2, 9, 8, 3, 2, 3, (2, 2), (0, 0, 0, 0)),
        "k3s21": (1, 9, 8, 3, 2, 3, (2, 1), (1, 1, 1, 1)),
        "k5s1p2_small": (3, 2, 1, 2, 3, 5, (1, 1), (2, 2, 2, 2)),
    }
    for name, (n, h, w, c, k, size, stride, pad) in table.items():
        inputs = {"src": cases.draw(n, h, w, c), "wei": cases.draw(k, size, size, c, scale=0.3), "bia": cases.draw(k)}
        cases.differentiable(
            f"conv2d.{name}",
            {"op": "conv2d", "stride": stride, "pad": pad},
            inputs,
            lambda src, wei, bia: conv2d(src, wei, bia, stride, pad),
        )


def transposed_convolutions(cases):
    table = {
        "k4s2p1": (2, 4, 3, 5, 4, 4, (2, 2), (1, 1, 1, 1)),
        "k5s1p2": (2, 4, 5, 3, 2, 5, (1, 1), (2, 2, 2, 2)),
        "k5s2_same": (2, 4, 3, 3, 2, 5, (2, 2), (1, 2, 1, 2)),
        "k3s2p0": (1, 3, 5, 4, 1, 3, (2, 2), (0, 0, 0, 0)),
        "k1x1_to_4x4": (3, 1, 1, 6, 4, 4, (1, 1), (0, 0, 0, 0)),
    }
    for name, (n, h, w, c, k, size, stride, pad) in table.items():
        inputs = {"src": cases.draw(n, h, w, c), "wei": cases.draw(c, size, size, k, scale=0.3), "bia": cases.draw(k)}
        cases.differentiable(
            f"conv_transpose2d.{name}",
            {"op": "conv_transpose2d", "stride": stride, "pad": pad},
            inputs,
            lambda src, wei, bia: conv_transpose2d(src, wei, bia, stride, pad),
        )


def dense_layers(cases):
    for n, c, k in ((4, 7, 5), (1, 3, 1), (3, 33, 17)):
        inputs = {"src": cases.draw(n, c), "wei": cases.draw(k, c, scale=0.3), "bia": cases.draw(k)}
        cases.differentiable(f"dense.n{n}c{c}k{k}", {"op": "dense"}, inputs, F.linear)


def poolings(cases):
    for n, h, w, c in ((2, 4, 6, 3), (1, 7, 5, 2)):
        suffix = f"h{h}w{w}"
        src = cases.draw(n, h, w, c)
        attributes = {"window": [2, 2], "stride": [2, 2], "pad": [0, 0, 0, 0]}
        cases.differentiable(f"max_pool2d.{suffix}", {"op": "max_pool2d", **attributes}, {"src": src}, max_pool2d)
        cases.differentiable(
            f"avg_pool2d.{suffix}",
            {"op": "avg_pool2d", **attributes},
            {"src": src},
            lambda x: nhwc(F.avg_pool2d(nchw(x), 2)),
        )


def upsamplings(cases):
    cases.differentiable("upsample2x.h3w4", {"op": "upsample2x"}, {"src": cases.draw(2, 3, 4, 3)}, upsample2x)
    for name, (n, h, w, c, k) in {"c4k3": (2, 3, 4, 4, 3), "one_out": (2, 4, 3, 5, 1), "h1w1": (2, 1, 1, 3, 2)}.items():
        inputs = {"src": cases.draw(n, h, w, c), "wei": cases.draw(k, 5, 5, c, scale=0.3), "bia": cases.draw(k)}
        cases.differentiable(
            f"upsample2x_conv2d.{name}",
            {"op": "upsample2x_conv2d", "stride": [1, 1], "pad": [2, 2, 2, 2]},
            inputs,
            lambda src, wei, bia: conv2d(upsample2x(src), wei, bia, pad=(2, 2, 2, 2)),
        )


def fused_convolutions(cases):
    """Convolution + max pool + tanh, the discriminator's block."""
    inputs = {"src": cases.draw(2, 6, 8, 2), "wei": cases.draw(4, 5, 5, 2, scale=0.2), "bia": cases.draw(4)}
    cases.differentiable(
        "conv2d_max_pool_tanh.k5s1p2",
        {"op": "conv2d_max_pool_tanh", "stride": [1, 1], "pad": [2, 2, 2, 2], "window": [2, 2]},
        inputs,
        lambda src, wei, bia: torch.tanh(max_pool2d(conv2d(src, wei, bia, pad=(2, 2, 2, 2)))),
    )


def normalizations(cases):
    """Batch norm over the last axis in both modes, and layer norm over the last axis."""
    for name, shape in {"features": (6, 5), "channels": (2, 3, 4, 3)}.items():
        c = shape[-1]
        inputs = {
            "src": cases.draw(*shape, scale=2.0),
            "gamma": cases.draw(c),
            "beta": cases.draw(c),
        }
        mean, variance = cases.draw(c).detach(), cases.draw(c).detach().square() + 0.5
        variance = variance.float().double()
        axes = tuple(range(len(shape) - 1))

        def training(src, gamma, beta):
            centred = src - src.mean(axes)
            return centred / torch.sqrt(centred.square().mean(axes) + 1e-3) * gamma + beta

        src = inputs["src"].detach()
        new_mean = 0.99 * mean + 0.01 * src.mean(axes)
        new_variance = 0.99 * variance + 0.01 * src.var(axes, unbiased=False)
        moving = {"moving_mean": mean, "moving_variance": variance}
        attributes = {"op": "batch_norm", "epsilon": 1e-3, "momentum": 0.99}
        after = {"new_moving_mean": new_mean, "new_moving_variance": new_variance}
        cases.differentiable(
            f"batch_norm.training_{name}", {**attributes, "training": True}, inputs, training, {**moving, **after}
        )
        cases.differentiable(
            f"batch_norm.inference_{name}",
            {**attributes, "training": False},
            inputs,
            lambda src, gamma, beta: (src - mean) / torch.sqrt(variance + 1e-3) * gamma + beta,
            moving,
        )
        cases.differentiable(
            f"layer_norm.{name}",
            {"op": "layer_norm", "epsilon": 1e-5},
            inputs,
            lambda src, gamma, beta: F.layer_norm(src, (c,), gamma, beta, 1e-5),
        )


def activations(cases):
    functions = {
        "relu": F.relu,
        "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    }
    for name, function in functions.items():
        src = cases.draw(5, 7, scale=3.0)
        with torch.no_grad():
            src[0, 0], src[0, 1], src[0, 2], src[0, 3] = 40.0, -40.0, 100.0, -100.0
        attributes = {"op": name, "slope": 0.2} if name == "leaky_relu" else {"op": name}
        cases.differentiable(f"{name}.n5c7", attributes, {"src": src}, function)


def losses(cases):
    src = cases.draw(9, scale=3.0)
    target = torch.tensor([1.0, 0, 1, 0, 1, 0, 0.9, 0.25, 1], dtype=torch.float64)
    with torch.no_grad():
        src[0], src[1], src[2], src[3] = 60.0, 60.0, -60.0, -60.0
    cases.differentiable(
        "bce_with_logits.n9",
        {"op": "bce_with_logits", "reduction": "mean"},
        {"src": src, "target": target},
        F.binary_cross_entropy_with_logits,
    )
    labels = cases.integers(10, 6)
    cases.differentiable(
        "softmax_cross_entropy.n6c10",
        {"op": "softmax_cross_entropy", "reduction": "mean"},
        {"src": cases.draw(6, 10, scale=3.0), "labels": labels},
        F.cross_entropy,
    )


def embeddings(cases):
    """A row occurs several times and one never, so that the gradient sums and stays zero."""
    labels = torch.tensor([3, 0, 3, 3, 9, 1, 0], dtype=torch.int64)
    cases.differentiable(
        "embedding.v10c4",
        {"op": "embedding"},
        {"labels": labels, "wei": cases.draw(10, 4)},
        F.embedding,
    )


def adam(param, grads, lr, beta1, beta2, epsilon, decay):
    """Keras's Adam: epsilon outside the square root of the uncorrected second moment; decoupled decay if non-zero."""
    m = v = torch.zeros_like(param)
    for t, grad in enumerate(grads, 1):
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * grad.square()
        param = param * (1 - lr * decay)
        param = param - lr * math.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (v.sqrt() + epsilon)
        yield param


def rmsprop(param, grads, lr, rho, epsilon):
    """RMSProp with epsilon outside the square root."""
    v = torch.zeros_like(param)
    for grad in grads:
        v = rho * v + (1 - rho) * grad.square()
        param = param - lr * grad / (v.sqrt() + epsilon)
        yield param


def sgd(param, grads, lr, momentum):
    """Heavy ball: velocity = momentum * velocity + gradient; parameter -= lr * velocity."""
    velocity = torch.zeros_like(param)
    for grad in grads:
        velocity = momentum * velocity + grad
        param = param - lr * velocity
        yield param


def optimizers(cases):
    table = {
        "adam": (adam, {"lr": 2e-4, "beta1": 0.5, "beta2": 0.999, "epsilon": 1e-7, "decay": 0.0}),
        "adamw": (adam, {"lr": 1e-3, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "decay": 0.05}),
        "rmsprop": (rmsprop, {"lr": 5e-5, "rho": 0.9, "epsilon": 1e-7}),
        "sgd": (sgd, {"lr": 0.1, "momentum": 0.0}),
        "sgd_momentum": (sgd, {"lr": 0.1, "momentum": 0.9}),
    }
    for name, (function, attributes) in table.items():
        roles = {}
        for i, shape in enumerate(((3, 5), (7,))):
            param = cases.draw(*shape)
            grads = [cases.draw(*shape, scale=0.1) for _ in range(3)]
            grads[1].detach()[..., 0] = 0.0
            roles[f"param.{i}"] = param
            for t, (grad, result) in enumerate(zip(grads, function(param, grads, **attributes)), 1):
                roles[f"grad{t}.{i}"] = grad
                roles[f"step{t}.{i}"] = result
        cases.add(f"optimizer.{name}", {"op": name.split("_")[0], **attributes}, roles)


def build():
    """Returns (tensors, metadata) of all operator cases."""
    cases = Cases(seed=20240)
    for family in (
        convolutions,
        transposed_convolutions,
        dense_layers,
        poolings,
        upsamplings,
        fused_convolutions,
        normalizations,
        activations,
        losses,
        embeddings,
        optimizers,
    ):
        family(cases)
    return cases.tensors, cases.metadata
