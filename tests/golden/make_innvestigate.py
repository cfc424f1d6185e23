"""Makes `innvestigate_vgg.npz` and `innvestigate_residual.npz`: maps of iNNvestigate 2.1.2 in float64.

It needs TensorFlow, which the project does not, so it runs in an environment of its own (Python 3.11):

    python -m venv ENV && ENV/bin/pip install innvestigate==2.1.2 tensorflow==2.14.1
    TF_CPP_MIN_LOG_LEVEL=2 ENV/bin/python tests/golden/make_innvestigate.py

Each file holds, as torch lays them out: `weights/NAME` (the keys of a torch state dict), `inputs`
(N, C, H, W) and their `low` and `high` (C,), `logits` (N, classes), `images` and `targets` (M,), which say
what each map explains, and `maps/METHOD` (M, C, H, W).
"""

from pathlib import Path

import innvestigate
import numpy as np
import tensorflow as tf
from tensorflow.keras import Model, layers

tf.compat.v1.disable_eager_execution()
tf.keras.backend.set_floatx("float64")
tf.keras.backend.set_learning_phase(0)

SIZE, CLASSES, IMAGES = 16, 5, 3
METHODS = {
    "gradient": ("gradient", {}),
    "abs-gradient": ("gradient", {"postprocess": "abs"}),
    "gradient-x-input": ("input_t_gradient", {}),
    "lrp-z": ("lrp.z", {}),
    "deep-taylor": ("deep_taylor", {}),
}


def vgg() -> Model:
    """Return convolutions with ReLU inside them, max pooling and dense layers, as Keras's own VGG16 is built."""
    inputs = x = layers.Input((SIZE, SIZE, 3))
    for name, filters in (("conv1", 6), ("conv2", 8)):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
    x = layers.MaxPooling2D(2)(x)
    for name, filters in (("conv3", 12), ("conv4", 12)):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(24, activation="relu", name="dense1")(x)
    x = layers.Dense(16, activation="relu", name="dense2")(x)
    return Model(inputs, layers.Dense(CLASSES, name="dense3")(x))


def residual() -> Model:
    """Return a network of everything else: BatchNorm wherever it can stand, ReLU6, both kinds of shortcut."""

    def norm(x: tf.Tensor, name: str) -> tf.Tensor:
        return layers.BatchNormalization(name=name)(x)

    def relu6(x: tf.Tensor) -> tf.Tensor:
        return layers.ReLU(max_value=6.0)(x)

    inputs = layers.Input((SIZE, SIZE, 3))
    # 16 by 16 with stride 2: "same" pads on the right and at the bottom only.
    stem = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(inputs)
    stem = relu6(norm(stem, "stem_norm"))

    x = relu6(norm(layers.DepthwiseConv2D(3, padding="same", name="depthwise")(stem), "depthwise_norm"))
    x = norm(layers.Conv2D(8, 1, use_bias=False, name="pointwise")(x), "pointwise_norm")
    x = layers.Activation("relu")(layers.Add()([x, stem]))

    pooled = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    strided = layers.ZeroPadding2D(1)(x)
    strided = layers.Activation("relu")(layers.Conv2D(6, 3, strides=2, name="strided")(strided))
    x = norm(layers.Concatenate()([pooled, strided]), "joined_norm")

    shortcut = norm(layers.Conv2D(10, 1, name="shortcut")(x), "shortcut_norm")
    x = layers.Activation("relu")(norm(layers.Conv2D(10, 3, padding="same", name="inner")(x), "inner_norm"))
    x = layers.Conv2D(10, 3, padding="same", name="outer")(x)
    x = layers.Activation("relu")(layers.Add()([x, shortcut]))
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(CLASSES, name="dense")(x))


def fill(model: Model, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Set random weights, the running statistics of BatchNorm too; return them by their torch names."""
    state = {}
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            (count,) = layer.gamma.shape
            gamma, beta = rng.normal(1.5, 0.5, count), rng.normal(0.5, 0.8, count)
            mean, variance = rng.normal(0, 0.5, count), rng.uniform(0.1, 1.2, count)
            layer.set_weights([gamma, beta, mean, variance])
            keys = ("weight", "bias", "running_mean", "running_var")
            found = dict(zip(keys, (gamma, beta, mean, variance), strict=True))
        elif layer.get_weights():
            kernel, *biases = (array.shape for array in layer.get_weights())
            depthwise = isinstance(layer, layers.DepthwiseConv2D)
            fan_in = np.prod(kernel[:2] if depthwise else kernel[:-1])
            weight = rng.normal(0, np.sqrt(2 / fan_in), kernel)
            found = {"weight": as_torch(weight, layer)}
            if biases:
                found["bias"] = rng.normal(0, 0.2, biases[0])
            layer.set_weights([weight, *([found["bias"]] if biases else [])])
        else:
            continue
        state |= {f"{layer.name}.{key}": value for key, value in found.items()}
    return state


def as_torch(kernel: np.ndarray, layer: layers.Layer) -> np.ndarray:
    """Return a Keras kernel in torch's order: (out, in, height, width) or (out, in)."""
    if isinstance(layer, layers.DepthwiseConv2D):
        return kernel.transpose(2, 3, 0, 1)
    if isinstance(layer, layers.Conv2D):
        return kernel.transpose(3, 2, 0, 1)
    if layer.input._keras_history.layer.name == "flatten":
        height, width, channels = layer.input._keras_history.layer.input.shape[1:]
        kernel = kernel.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
    return kernel.T


def chosen_targets(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (images, targets): for each image the highest logit, the lowest, and one in between."""
    order = logits.argsort(1)
    picked = order[:, [-1, 0, -2]]
    return np.arange(len(logits)).repeat(picked.shape[1]), picked.ravel()


def main() -> None:
    for number, build in enumerate((vgg, residual)):
        rng = np.random.default_rng(20260 + number)
        model = build()
        weights = fill(model, rng)
        low, high = np.array([-1.0, -1.25, -0.5]), np.array([1.0, 0.75, 1.5])
        inputs = rng.uniform(low, high, (IMAGES, SIZE, SIZE, 3))
        logits = model.predict_on_batch(inputs)
        images, targets = chosen_targets(logits)
        assert logits.min() < 0 < logits.max(1).min()
        maps = {}
        bounded = {"deep-taylor-bounded": ("deep_taylor.bounded", {"low": low, "high": high})}
        for method, (name, options) in (METHODS | bounded).items():
            # Its own check of models refuses ReLU6 and depthwise convolutions, which it can explain.
            analyzer = innvestigate.create_analyzer(
                name, model, neuron_selection_mode="index", disable_model_checks=True, **options
            )
            maps[method] = analyzer.analyze(inputs[images], list(targets)).transpose(0, 3, 1, 2)
        np.savez_compressed(
            Path(__file__).with_name(f"innvestigate_{build.__name__}.npz"),
            inputs=inputs.transpose(0, 3, 1, 2),
            low=low,
            high=high,
            logits=logits,
            images=images,
            targets=targets,
            **{f"weights/{name}": value for name, value in weights.items()},
            **{f"maps/{name}": value for name, value in maps.items()},
        )


if __name__ == "__main__":
    main()
