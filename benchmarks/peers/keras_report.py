"""Times a training step of the reference experiment (`report`) in Keras on TensorFlow, as torch_report.py does in PyTorch.

One compiled function makes the whole step: both forward passes, D's update, G's update. Channels last, which is Keras's
own layout and its fastest on a CPU. Prints one JSON object.
"""

import argparse
import os

import serving

LATENT = 100


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    serving.add_options(parser)
    parser.add_argument("--xla", action="store_true", help="compile the step with XLA")
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    import keras
    import tensorflow as tf
    from keras import layers

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    keras.utils.set_random_seed(1)
    g = keras.Sequential(
        [
            layers.Input((LATENT,)),
            layers.Dense(7 * 7 * 128, activation="tanh"), layers.BatchNormalization(), layers.Reshape((7, 7, 128)),
            layers.UpSampling2D(), layers.Conv2D(64, 5, padding="same", activation="tanh"),
            layers.UpSampling2D(), layers.Conv2D(1, 5, padding="same", activation="tanh"),
        ]
    )  # fmt: skip
    d = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(64, 5, padding="same", activation="tanh"), layers.MaxPooling2D(),
            layers.Conv2D(128, 5, padding="same", activation="tanh"), layers.MaxPooling2D(),
            layers.Flatten(), layers.Dense(1024, activation="relu"), layers.Dense(1),
        ]
    )  # fmt: skip
    g_optimizer, d_optimizer = (keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2))
    g_optimizer.build(g.trainable_variables)
    d_optimizer.build(d.trainable_variables)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    target = tf.concat([tf.ones((args.batch, 1)), tf.zeros((args.batch, 1))], 0)
    pixels = tf.random.uniform((32, args.batch, 28, 28, 1), 0, 256, tf.int32)
    pixels = tf.cast(pixels, tf.uint8)

    def noise():
        return tf.random.uniform((args.batch, LATENT), -1, 1)

    @tf.function(jit_compile=args.xla)
    def train(bytes_):
        real = (tf.cast(bytes_, tf.float32) - 127.5) / 127.5
        fake = g(noise(), training=False)
        with tf.GradientTape() as tape:
            d_loss = loss(target, d(tf.concat([real, fake], 0), training=True))
        d_optimizer.apply(tape.gradient(d_loss, d.trainable_variables), d.trainable_variables)
        with tf.GradientTape() as tape:
            g_loss = loss(target[: args.batch], d(g(noise(), training=True), training=True))
        g_optimizer.apply(tape.gradient(g_loss, g.trainable_variables), g.trainable_variables)
        return d_loss, g_loss

    count = 0

    def step():
        nonlocal count
        d_loss, g_loss = train(pixels[count % 32])
        count += 1
        return float(d_loss), float(g_loss)

    serving.measure(f"keras {keras.__version__}, tensorflow {tf.__version__}", "report", step, args)


if __name__ == "__main__":
    main()
