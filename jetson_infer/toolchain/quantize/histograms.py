# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How large a network's activations are: a histogram of magnitudes for every tensor.

One pass over the calibration images serves every method that then chooses a scale.  A histogram
begins with the range of the first image; where a later image goes beyond it, the range is doubled
by joining neighbouring bins, so that no value is ever cut off and nothing but counts is kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.dependencies import require
from jetson_infer.engines.onnxruntime.session import OnnxRuntimeSession
from jetson_infer.toolchain.quantize.graph import PURPOSE, Network

__all__ = ['BINS', 'MagnitudeHistogram', 'collect_histograms']

BINS = 4096
GROUP_BYTES = 256 << 20
"""Of the tensors that are read out in one run, together; a network is run once for each group."""


class MagnitudeHistogram:
    """Counts a tensor's magnitudes in :data:`BINS` equal bins from 0 to :attr:`edge`."""

    def __init__(self) -> None:
        self.edge = 0.0
        """The upper edge of the last bin; 0 until a value that is not 0 came."""
        self.largest = 0.0
        """The largest magnitude."""
        self.counts: npt.NDArray[np.int64] = np.zeros(BINS, np.int64)

    def add(self, values: npt.NDArray[np.float32]) -> None:
        """Count an array's values; those that are not finite are left out."""
        magnitudes = np.abs(values.ravel())
        largest = float(magnitudes.max(initial=0.0))
        if not np.isfinite(largest):
            magnitudes = magnitudes[np.isfinite(magnitudes)]
            largest = float(magnitudes.max(initial=0.0))
        self.largest = max(self.largest, largest)
        if self.edge == 0.0 and largest > 0.0:
            self.edge = largest
            # Zeros that came before lie in the first bin whatever the range.
        while largest > self.edge > 0.0:
            halves = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.concatenate([halves, np.zeros(BINS // 2, np.int64)])
            self.edge *= 2.0
        if self.edge == 0.0:
            self.counts[0] += len(magnitudes)
            return
        places = (magnitudes * np.float32(BINS / self.edge)).astype(np.int32)
        np.minimum(places, BINS - 1, out=places)
        self.counts += np.bincount(places, minlength=BINS)

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """The middle of every bin, ``(BINS,)``."""
        return (np.arange(BINS, dtype=np.float64) + 0.5) * np.float64(self.edge / BINS)


def collect_histograms(
    network: Network,
    feeds: Sequence[Mapping[str, npt.NDArray[Any]]],
    threads: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, MagnitudeHistogram]:
    """Run a network on images and count the magnitudes of what its layers read.

    :param feeds: the network's inputs, by name, one mapping an image.
    :param progress: told how many runs are done, of how many.
    :raises SessionError: if ONNX Runtime cannot run it.
    """
    onnx = require('onnx', PURPOSE)
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    inputs = {value.name for value in model.graph.input}
    outputs = {value.name for value in model.graph.output}
    histograms = {name: MagnitudeHistogram() for name in network.activations}
    computed = [name for name in histograms if name not in inputs]
    groups = _groups(onnx, model, computed)
    done, total = 0, len(feeds) * max(1, len(groups))
    for feed in feeds:
        for name in histograms:
            if name in inputs:
                histograms[name].add(np.asarray(feed[name], np.float32))
    with tempfile.TemporaryDirectory(prefix='jetson_infer_') as folder:
        for number, group in enumerate(groups):
            part = onnx.ModelProto()
            part.CopyFrom(model)
            for name in group:
                if name not in outputs:
                    part.graph.output.append(onnx.ValueInfoProto(name=name))
            file = Path(folder, f'{number}.onnx')
            onnx.save(part, str(file))
            with OnnxRuntimeSession(file, threads) as session:
                for feed in feeds:
                    binding = session.bind({name: a.shape for name, a in feed.items()})
                    for name, array in feed.items():
                        binding.inputs[name][...] = array
                    found = binding.run()
                    for name in group:
                        histograms[name].add(found[name])
                    done += 1
                    progress(done, total)
    return histograms


def _groups(onnx: Any, model: Any, names: Sequence[str]) -> list[list[str]]:
    """Split tensors into groups of limited size, by the shapes that can be inferred."""
    inferred = onnx.shape_inference.infer_shapes(model).graph.value_info
    sizes = {}
    for value in inferred:
        extents = [max(1, d.dim_value) for d in value.type.tensor_type.shape.dim]
        sizes[value.name] = 4 * int(np.prod(extents, dtype=np.int64))
    groups: list[list[str]] = []
    used = 0
    for name in names:
        size = sizes.get(name, GROUP_BYTES // 8)
        if not groups or used + size > GROUP_BYTES:
            groups.append([])
            used = 0
        groups[-1].append(name)
        used += size
    return groups
