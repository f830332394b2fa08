"""What the golden training runs share: parameters, layers in NHWC, Keras's Adam, and recording.

Parameters live in a dict, name -> float64 tensor, in the layouts of operators.py. A parameter's name is LAYER.ROLE:
`weight`, `bias`; batch norm has `gamma`, `beta` and the buffers `moving_mean`, `moving_variance`. Names start with `g_`
in the generator and `d_` in the discriminator or critic.
"""

import math

import numpy as np
import torch
from operators import nhwc, nchw
from torch.nn import functional as F


class Draws:
    """Random inputs, all float32 numbers held as float64 (integers as int64, pixels as uint8)."""

    def __init__(self, seed):
        self.random = np.random.Generator(np.random.Philox(seed))

    def real(self, values):
        return torch.tensor(np.asarray(values, np.float32), dtype=torch.float64)

    def uniform(self, low, high, *shape):
        return self.real(self.random.uniform(low, high, shape))

    def normal(self, *shape):
        return self.real(self.random.standard_normal(shape))

    def labels(self, n, classes=10):
        return torch.tensor(self.random.integers(0, classes, n), dtype=torch.int64)

    def pixels(self, *shape):
        return torch.tensor(self.random.integers(0, 256, shape), dtype=torch.uint8)

    def glorot(self, shape, fan_in, fan_out):
        limit = math.sqrt(6.0 / (fan_in + fan_out))
        return self.uniform(-limit, limit, *shape)


def images(pixels):
    """uint8 pixels to [-1, 1]: (x - 127.5) / 127.5."""
    return (pixels.double() - 127.5) / 127.5


def add_dense(params, draws, name, inputs, outputs):
    """Glorot weight [out, in]; a small random bias, so that a bias which is lost or doubled shows."""
    params[f"{name}.weight"] = draws.glorot((outputs, inputs), inputs, outputs)
    params[f"{name}.bias"] = draws.uniform(-0.1, 0.1, outputs)


def add_conv(params, draws, name, inputs, outputs, k):
    """Glorot KRSC filter and a small random bias."""
    params[f"{name}.weight"] = draws.glorot((outputs, k, k, inputs), k * k * inputs, k * k * outputs)
    params[f"{name}.bias"] = draws.uniform(-0.1, 0.1, outputs)


def add_conv_transpose(params, draws, name, inputs, outputs, k):
    """Glorot filter [in, k, k, out] of a transposed convolution and a small random bias."""
    params[f"{name}.weight"] = draws.glorot((inputs, k, k, outputs), k * k * inputs, k * k * outputs)
    params[f"{name}.bias"] = draws.uniform(-0.1, 0.1, outputs)


def add_batch_norm(params, draws, buffers, name, channels):
    """Gamma near 1, beta near 0, moving statistics near (0, 1), none of them exactly there."""
    params[f"{name}.gamma"] = draws.uniform(0.9, 1.1, channels)
    params[f"{name}.beta"] = draws.uniform(-0.1, 0.1, channels)
    buffers[f"{name}.moving_mean"] = draws.uniform(-0.1, 0.1, channels)
    buffers[f"{name}.moving_variance"] = draws.uniform(0.5, 1.5, channels)


def dense(params, name, x):
    """A layer whose bias is not in `params` has none; so for convolutions."""
    return F.linear(x, params[f"{name}.weight"], params.get(f"{name}.bias"))


def conv(params, name, x, stride=1, pad=2):
    weight = params[f"{name}.weight"].permute(0, 3, 1, 2)
    return nhwc(F.conv2d(nchw(x), weight, params.get(f"{name}.bias"), stride, pad))


def conv_transpose(params, name, x, stride, pad):
    weight = params[f"{name}.weight"].permute(0, 3, 1, 2)
    return nhwc(F.conv_transpose2d(nchw(x), weight, params.get(f"{name}.bias"), stride, pad))


def batch_norm(params, buffers, name, x, training, momentum, epsilon):
    """Over the last axis. Training mode uses the biased variance, for the moving variance too, as Keras 3 does."""
    if training:
        axes = tuple(range(x.dim() - 1))
        mean, variance = x.mean(axes), x.var(axes, unbiased=False)
        for role, value in (("moving_mean", mean), ("moving_variance", variance)):
            key = f"{name}.{role}"
            buffers[key] = momentum * buffers[key] + (1 - momentum) * value.detach()
    else:
        mean, variance = buffers[f"{name}.moving_mean"], buffers[f"{name}.moving_variance"]
    return (x - mean) / torch.sqrt(variance + epsilon) * params[f"{name}.gamma"] + params[f"{name}.beta"]


class Margin:
    """The smallest distance of any element from a decision (arg-max tie, kink of a rectifier) in a whole run.

    A float32 run follows a float64 one only while no decision flips, so the generator of a golden file looks for a seed
    whose margin is far above float32's error.
    """

    def __init__(self):
        self.smallest = math.inf

    def max_pool2d(self, x):
        n, h, w, c = x.shape
        windows = x.reshape(n, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 5, 2, 4).reshape(-1, 4)
        top = windows.detach().topk(2, 1).values
        self.smallest = min(self.smallest, (top[:, 0] - top[:, 1]).min().item())
        return nhwc(F.max_pool2d(nchw(x), 2))

    def relu(self, x, slope=0.0):
        self.smallest = min(self.smallest, x.detach().abs().min().item())
        return F.leaky_relu(x, slope)


class Adam:
    """Keras's Adam: step size lr*sqrt(1-b2^t)/(1-b1^t), update m/(sqrt(v)+epsilon)."""

    def __init__(self, names, lr, beta1, beta2, epsilon):
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.moments = {name: (0.0, 0.0) for name in names}
        self.t = 0

    def step(self, params, loss):
        """Replaces the named parameters by updated ones; returns their gradients by name."""
        grads = dict(zip(self.moments, torch.autograd.grad(loss, [params[name] for name in self.moments])))
        self.t += 1
        rate = self.lr * math.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)
        for name, grad in grads.items():
            m, v = self.moments[name]
            m = self.beta1 * m + (1 - self.beta1) * grad
            v = self.beta2 * v + (1 - self.beta2) * grad.square()
            self.moments[name] = m, v
            update = rate * m / (v.sqrt() + self.epsilon)
            params[name] = (params[name].detach() - update).requires_grad_()
        return grads


class Recorder:
    """The tensors and metadata of one golden file."""

    def __init__(self, **settings):
        self.tensors, self.losses, self.settings = {}, [], settings

    def parameters(self, prefix, *groups):
        for group in groups:
            for name, value in group.items():
                self.tensors[f"{prefix}.{name}"] = value.detach().clone()

    def inputs(self, step, **values):
        for name, value in values.items():
            self.tensors[f"step{step:02d}.{name}"] = value

    def result(self):
        return self.tensors, {"losses": self.losses, "settings": self.settings}


def names(params, prefix):
    return [name for name in params if name.startswith(prefix)]


def require_grad(params):
    return {name: value.requires_grad_() for name, value in params.items()}
