"""SASRec of this package."""

import sys

import keras
import numpy as np
from keras_clock import KerasClock

import stackrec_keras as sr

rows = np.load(sys.argv[1]).astype("int32")
windows = sr.data.Windows(rows, np.arange(len(rows), dtype="int32"))
model = sr.SASRec(
    int(rows.max()),
    max_length=rows.shape[1] - 1,
    num_blocks=2,
    dropout=0.2,
    norm="pre",
    rezero=False,
    tied=True,
)
on_tensorflow = keras.backend.backend() == "tensorflow"
model.compile(jit_compile=True if on_tensorflow else "auto")
model.fit(windows.batches(128), epochs=10**6, verbose=0, callbacks=[KerasClock()])
