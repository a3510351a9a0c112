# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Loses a GPU by a kernel that writes where nothing is, frees everything, and opens it twice.

A program and no test, because the fault ends the context of the whole process. Its argument is
``auto`` or ``never``, as ``PycudaDevice`` takes it, with ``well`` behind it to leave the fault out;
what it saw is on the last line of its output, as JSON.
"""

import contextlib
import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / 'helpers')]

from jetson_infer.cuda.arguments import KernelArguments  # noqa: E402
from jetson_infer.cuda.driver_library import DriverLibrary  # noqa: E402
from jetson_infer.cuda.pycuda_device import PycudaDevice  # noqa: E402
from jetson_infer.errors import JetsonInferError  # noqa: E402
from ptx_kernels import PTX  # noqa: E402


def said(action):
    try:
        action()
    except JetsonInferError as error:
        return f'{type(error).__name__}: {error}'
    return 'nothing'


def lose(way):
    """Return what the fault and the calls after it raised, and what was left open."""
    with PycudaDevice(bindings=way) as device, device.current():
        with contextlib.ExitStack() as stack:

            def kept(resource):
                return stack.enter_context(contextlib.closing(resource))

            memory, pinned = device.memory('device'), device.memory('pinned')
            buffer, staging = kept(memory.allocate(64)), kept(pinned.allocate(64))
            stream, event = kept(device.stream()), kept(device.event())
            kernels = kept(device.load_module(PTX))
            arguments = KernelArguments.of(np.uint64(16))
            stream.launch(kernels.function('fault'), (1, 1, 1), (1, 1, 1), arguments)
            at_the_fault = said(stream.synchronize)
            afterwards = [
                said(action)
                for action in (
                    lambda: stream.copy(buffer, staging, 64),
                    lambda: stream.record(event),
                    lambda: memory.allocate(64),
                    lambda: device.load_module(PTX),
                    stream.synchronize,
                    device.stream,
                    device.free_bytes,
                )
            ]
        live = device.live()
    return at_the_fault, afterwards, live


def use(way):
    """Return four numbers after a kernel added 1 to each, or why the GPU was not opened."""
    try:
        return add_ones(way)
    except JetsonInferError as error:
        return f'{type(error).__name__}: {error}'


def add_ones(way):
    with PycudaDevice(bindings=way) as device, device.current(), contextlib.ExitStack() as stack:
        staging = stack.enter_context(device.memory('pinned').allocate(16))
        buffer = stack.enter_context(device.memory('device').allocate(16))
        stream = stack.enter_context(contextlib.closing(device.stream()))
        kernels = stack.enter_context(contextlib.closing(device.load_module(PTX)))
        staging.host[:] = np.arange(4, dtype=np.uint32).view(np.uint8)
        stream.copy(buffer, staging, 16)
        arguments = KernelArguments.of(np.uint64(buffer.address), np.uint32(4))
        stream.launch(kernels.function('add_one'), (1, 1, 1), (32, 1, 1), arguments)
        stream.copy(staging, buffer, 16)
        stream.synchronize()
        return staging.host.view(np.uint32).tolist()


def main():
    way, *well = sys.argv[1:]
    told = {}
    if not well:
        told['at the fault'], told['afterwards'], told['live'] = lose(way)
    library = DriverLibrary()
    library.initialize()
    told['contexts left'] = [library.current_context()]
    told['opened again'] = []
    for _ in range(2):
        told['opened again'].append(use(way))
        told['contexts left'].append(library.current_context())
    print(json.dumps(told))


if __name__ == '__main__':
    main()
