# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Off-screen pictures of a compiled scene: colour, metric depth and instances."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from scene_gen.camera import Camera, View
from scene_gen.compiled import CompiledScene

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]


@dataclass(frozen=True)
class Frame:
    """What a view shows.

    `rgb` (H, W, 3) uint8; `depth` (H, W) float32 along the optical axis [m]; `instance` (H, W)
    int32: index into CompiledScene.labelled, -1 elsewhere.
    """

    rgb: U8
    depth: F32
    instance: I32


class Renderer:
    """One OpenGL context for any number of scenes, one after another.

    The context belongs to the thread that makes it.  `MUJOCO_GL` (egl, osmesa) selects how.
    """

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self._gl = mujoco.GLContext(camera.width, camera.height)
        self._gl.make_current()
        self._context: mujoco.MjrContext | None = None
        self._numbers: mujoco.MjrContext | None = None
        self._option = mujoco.MjvOption()
        self._only_group_1 = mujoco.MjvOption()
        self._only_group_1.geomgroup[:] = [0, 1, 0, 0, 0, 0]
        self._camera = mujoco.MjvCamera()
        self._rect = mujoco.MjrRect(0, 0, camera.width, camera.height)

    def load(self, compiled: CompiledScene) -> None:
        """Send a scene's meshes and textures to the device."""
        self._free_contexts()
        self.compiled = compiled
        self._context = _offscreen_context(compiled.model)
        # Some drivers average the numbers of neighbouring things where edges are smoothed.
        quality = compiled.model.vis.quality
        samples, quality.offsamples = quality.offsamples, 0
        self._numbers = _offscreen_context(compiled.model)
        quality.offsamples = samples
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(compiled.model, maxgeom=compiled.model.ngeom + 50)
        mujoco.mjv_updateScene(
            compiled.model,
            compiled.data,
            self._option,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL,
            self._scene,
        )
        # the same for every frame: all geoms are added, in the model's order
        self._owners = self._owner_of_segment()
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = False

    def close(self) -> None:
        """Free the context.  May be repeated."""
        self._free_contexts()
        if self._gl is not None:
            self._gl.free()
            self._gl = None

    def _free_contexts(self) -> None:
        for context in (self._context, self._numbers):
            if context is not None:
                context.free()
        self._context = self._numbers = None

    def _aim(self, camera: Camera, view: View) -> None:
        forward, up = view.rotation[:, 2], -view.rotation[:, 1]
        near, far = 0.05, 40.0
        half = near * camera.height / 2 / camera.focal
        for eye in self._scene.camera:
            eye.pos[:], eye.forward[:], eye.up[:] = view.origin, forward, up
            eye.frustum_center = 0.0
            eye.frustum_bottom, eye.frustum_top = -half, half
            eye.frustum_width = half * camera.width / camera.height
            eye.frustum_near, eye.frustum_far = near, far

    def frame(
        self,
        view: View,
        camera: Camera | None = None,
        light_gain: F32 | None = None,
        shadows: bool = True,
    ) -> Frame:
        """Render what `view` sees.  `light_gain` (n_lights,) dims the scene's lights."""
        camera = camera or self.camera
        m, d, s = self.compiled.model, self.compiled.data, self._scene
        if light_gain is not None:
            # an unlit light would still take one of the eight that OpenGL has
            m.light_active[:] = light_gain > 0
        mujoco.mjv_updateScene(
            m, d, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, s
        )
        self._aim(camera, view)
        if light_gain is not None:
            for light in s.lights[: s.nlight]:
                if not light.headlight:
                    gain = float(light_gain[light.id])
                    light.diffuse[:] = np.asarray(light.diffuse) * gain
                    light.specular[:] = np.asarray(light.specular) * gain
        s.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
        h, w = self.camera.height, self.camera.width
        # smoothed edges move a pixel's depth to its first sample: read it with the numbers
        rgb, depth = np.empty((h, w, 3), np.uint8), np.empty((h, w), np.float32)
        mujoco.mjr_render(self._rect, s, self._context)
        mujoco.mjr_readPixels(rgb, None, self._rect, self._context)
        instance = self._instances(self._owners, depth)
        return Frame(rgb[::-1], self._metric(depth[::-1]), instance)

    @staticmethod
    def _metric(raw: F32) -> F32:
        near, far = 0.05, 40.0
        return (near * far / (far - raw * (far - near))).astype(np.float32)

    def _instances(self, owner: I32, depth: F32 | None = None) -> I32:
        """Segment the MjvScene as it stands; `owner` by segment number + 1.

        `depth` (H, W), where given, is filled with the depth buffer, bottom row first.
        """
        s = self._scene
        s.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = True
        s.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = True
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._numbers)
        mujoco.mjr_render(self._rect, s, self._numbers)
        code = np.empty((self.camera.height, self.camera.width, 3), np.uint8)
        mujoco.mjr_readPixels(code, depth, self._rect, self._numbers)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        s.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = False
        s.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = False
        number = code[::-1, :, 0].astype(np.int32) + (code[::-1, :, 1].astype(np.int32) << 8)
        return owner[number]

    def _owner_of_segment(self) -> I32:
        """Owner by segment number + 1; 0 is the background."""
        table = np.full(self._scene.ngeom + 1, -1, np.int32)
        for g in self._scene.geoms[: self._scene.ngeom]:
            table[g.segid + 1] = self.compiled.owner[g.objid]
        return table

    def alone(self, chosen: list[int], view: View, camera: Camera | None = None) -> I32:
        """Instances (H, W) with nothing but the chosen labelled things in the world."""
        m, d = self.compiled.model, self.compiled.data
        m.geom_group[:] = np.where(np.isin(self.compiled.owner, chosen), 1, 0)
        mujoco.mjv_updateScene(
            m, d, self._only_group_1, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        m.geom_group[:] = 0
        self._aim(camera or self.camera, view)
        return self._instances(self._owner_of_segment())


def _offscreen_context(model: mujoco.MjModel) -> mujoco.MjrContext:
    context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, context)
    return context
