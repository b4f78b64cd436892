"""How the gradient through time changes while a network learns."""

import keras
import numpy as np

from rnn_course.probes.gradients import gradient_flow, loss_function

COUNTED = ("epoch", "batch")


class GradientFlowCallback(keras.callbacks.Callback):
    """Measures ∂L/∂h_t on one fixed batch before training and after every so many epochs, or batches.

    The measurement is `gradient_flow`: the loss of the batch it is given, never of the batches that train the model, in
    inference mode, through every later step. Training goes on as if nobody had looked: the same seed gives the same
    weights with and without the callback.

    It keeps what it measured when training is interrupted, and goes on counting when the same model is fitted again.
    The first record is made before the first batch; whatever is wrong with the layer, the loss or the batch is said
    there, and not after the first epoch. So the model needs its weights by then: a `keras.Input`, or one call.

    A gradient that is no longer finite, as in a training that has exploded, is recorded as it is: NaN or infinite.

    >>> model = keras.Sequential([keras.Input((3, 1)), keras.layers.SimpleRNN(1)])
    >>> model.compile("sgd", "mse")
    >>> watch = GradientFlowCallback(np.ones((2, 3, 1)), np.ones((2, 1)))
    >>> _ = model.fit(np.ones((4, 3, 1)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[watch])
    >>> watch.history["epoch"].tolist(), watch.history["norm"].shape
    ([0, 1, 2], (3, 2, 3))
    """

    def __init__(
        self,
        probe_inputs,
        probe_targets,
        layer=None,
        *,
        direction="forward",
        loss=None,
        wrt="hidden",
        kind="total",
        loss_step=None,
        every=1,
        unit="epoch",
    ):
        """Choose the batch and what to measure on it; the model is known once it is fitted.

        Args:
            probe_inputs: what the model takes, `(batch, time, …)`; the same at every record.
            probe_targets: what the loss takes, `(batch, …)`.
            layer: as in `gradient_flow`, and so are the next five.
            direction: which half when `layer` is a `Bidirectional`.
            loss: a Keras loss, its name, or a function of (targets, outputs); the compiled loss when `None`.
            wrt: `"hidden"` state, LSTM `"cell"` state, or the layer's `"inputs"`.
            kind: `"total"` or `"direct"`.
            loss_step: take the loss at this step alone.
            every: int, how many epochs or batches lie between two records.
            unit: `"epoch"` or `"batch"`: what `every` counts.

        Raises:
            ValueError: `every` is not a whole number above zero, or `unit` is neither word.
        """
        super().__init__()
        if not isinstance(every, int | np.integer) or every < 1:
            raise ValueError(f"every is {every!r}; pass a whole number of epochs or batches, at least 1.")
        if unit not in COUNTED:
            raise ValueError(f"unit is {unit!r}; pass 'epoch' or 'batch': what `every` counts.")
        self.probe_inputs, self.probe_targets, self.layer = probe_inputs, probe_targets, layer
        self.options = {"direction": direction, "wrt": wrt, "kind": kind, "loss_step": loss_step}
        self.loss, self.every, self.unit = loss, every, unit
        self.done, self.start_of_epoch = dict.fromkeys(COUNTED, 0), 0
        self.records = []

    @property
    def history(self):
        """What was measured so far, as a dict of arrays with one entry for each record.

        * `"epoch"` and `"batch"`, each `(records,)` int: how many of them the model had been trained on.
        * `"loss"`, `(records,)`: the loss of the batch that is measured.
        * `"norm"`, `(records, batch, time)`: ‖∂L/∂h_t‖, NaN at masked steps.
        """
        columns = zip(*self.records, strict=True) if self.records else ([], [], [], np.empty((0, 0, 0)))
        return dict(zip(("epoch", "batch", "loss", "norm"), map(np.array, columns), strict=True))

    def set_model(self, model):
        """Take the model that is about to be fitted; no arrays.

        Raises:
            ValueError: the records are those of another model.
        """
        if self.records and model is not self.model:
            raise ValueError(
                f"This GradientFlowCallback holds {len(self.records)} records of model {self.model.name!r}, which is "
                f"not the model {model.name!r} that is fitted now. Make a new callback for each model."
            )
        super().set_model(model)

    def on_train_begin(self, logs=None):
        """Make the first record, unless an earlier `fit` has; takes no arrays."""
        if not self.records:
            self.measure()

    def on_train_batch_end(self, batch, logs=None):
        """Count one batch, or as many as the model trains on in one go; takes no arrays."""
        before = self.done["batch"]
        self.done["batch"] = self.start_of_epoch + batch + 1
        if self.unit == "batch" and self.done["batch"] // self.every > before // self.every:
            self.measure()

    def on_epoch_begin(self, epoch, logs=None):
        """Remember how many batches came before; takes no arrays."""
        self.start_of_epoch = self.done["batch"]

    def on_epoch_end(self, epoch, logs=None):
        """Count one epoch; takes no arrays."""
        self.done["epoch"] += 1
        if self.unit == "epoch" and self.done["epoch"] % self.every == 0:
            self.measure()

    def measure(self):
        """Add one record of the model as it is now, such as after the last `fit`; takes and returns no arrays.

        Raises:
            ValueError: as in `gradient_flow`.
        """
        loss = NotedLoss(loss_function(self.model, self.loss))
        with np.errstate(all="ignore"):  # a training that explodes is recorded, not warned of
            norm = gradient_flow(
                self.model, self.probe_inputs, self.probe_targets, self.layer, loss=loss, **self.options
            ).norm()
        self.records.append((self.done["epoch"], self.done["batch"], loss.value, norm))


class NotedLoss(keras.losses.Loss):
    """A loss that remembers its last value, a scalar, so that it need not be computed twice."""

    def __init__(self, loss):
        """Wrap `loss`, a function of (targets, outputs) `(batch, …)`."""
        super().__init__(name="noted_loss")
        self.loss = loss
        self.value = None

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The wrapped loss of targets and outputs `(batch, …)`, a scalar tensor."""
        result = self.loss(y_true, y_pred)
        self.value = float(np.sum(keras.ops.convert_to_numpy(result)))  # as the tape does where it is no scalar
        return result
