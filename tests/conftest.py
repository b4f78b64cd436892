"""What several test files need of pytest."""

import pytest
from hypothesis import settings

settings.register_profile("busy", deadline=None)  # how long an example takes says how busy the computer is
settings.load_profile("busy")


@pytest.fixture
def double_precision():
    """Everything in float64, NumPy inputs included: Keras rounds those to its floatx."""
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
