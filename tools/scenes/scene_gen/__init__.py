# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Random indoor scenes as a walking humanoid's head sees them, with exact ground truth.

Programs beside this package (`pip install -r tools/scenes/requirements.txt` first; set
`MUJOCO_GL=egl` on a machine with a GPU, `egl` with Mesa or `osmesa` on one without):

* `generate.py --seed N --out DIR` writes a rosbag2 recording of a walk through several rooms;
* `render_dataset.py --seeds A:B --out DIR` writes training images and boxes.

The way of a picture: `scene.build` draws rooms from a seed (`rooms`, `furnish`, `inhabit`, over
the shapes of `furniture`, `seats`, `clutter`, `people`, `dogs`); `compiled` makes a MuJoCo model
of them; `render` draws colour, depth and instances; `truth` reads boxes from those; `optics` adds
what lens, sensor and codec do.  `camera` and `truth` state the conventions of pixels and boxes.

Seeds: training below 1 000 000, validation from 1 000 000, recordings from 2 000 000.
The same seed on the same machine gives the same bytes.
"""
