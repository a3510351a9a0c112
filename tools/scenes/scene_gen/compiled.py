# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A scene as a MuJoCo model: one geom a part; things that move are mocap bodies."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from scene_gen.materials import Material
from scene_gen.scene import Scene
from scene_gen.things import LABELS, Thing

F64 = NDArray[np.float64]


class CompiledScene:
    """A scene's MuJoCo model and the way back from geoms to things.

    `owner` (ngeom,) int32: index of the geom's thing among `labelled`, or -1.
    `labelled`: the things that are ground truth; `classes` (L,) their class indices.
    `brightness` (nmat,): mean reflectivity 0..1 of each material.
    """

    def __init__(self, scene: Scene, camera_size: tuple[int, int] = (640, 480)) -> None:
        self.scene = scene
        self._spec = mujoco.MjSpec()
        self._materials: dict[int, str] = {}
        self._brightness: list[float] = []
        self._settings(camera_size)
        self.labelled = [t for t in scene.things if t.label is not None]
        index = {id(t): i for i, t in enumerate(self.labelled)}
        owners: list[int] = []
        self._movable: list[tuple[Thing, list[int]]] = []
        mocap = 0
        for thing in scene.things:
            bodies = []
            for number in range(len(thing.segments)):
                owners += [index.get(id(thing), -1)] * self._segment(thing, number)
                bodies.append(mocap + number)
            if thing.movable:
                self._movable.append((thing, bodies))
                mocap += len(bodies)
        for light in scene.lights:
            self._light(light)
        self.model = self._spec.compile()
        self.data = mujoco.MjData(self.model)
        # the world's own geoms come first in the compiled order: the name tells the owner
        self.owner = np.full(self.model.ngeom, -1, np.int32)
        for i in range(self.model.ngeom):
            self.owner[i] = owners[int(self.model.geom(i).name[1:])]
        # mean reflectivity of each material, for the lidar
        self.brightness = np.array(self._brightness)
        self.classes = np.array([LABELS.index(str(t.label)) for t in self.labelled], np.int64)
        self.update()

    def update(self) -> None:
        """Bring the model's bodies to where the scene's movable things are now."""
        quat = np.empty(4)
        for thing, bodies in self._movable:
            rotations, origins = thing.map_poses()
            for body, rotation, origin in zip(bodies, rotations, origins, strict=True):
                mujoco.mju_mat2Quat(quat, rotation.ravel())
                self.data.mocap_quat[body], self.data.mocap_pos[body] = quat, origin
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)

    def _settings(self, size: tuple[int, int]) -> None:
        s = self._spec
        s.compiler.fusestatic = False
        s.visual.quality.shadowsize, s.visual.quality.offsamples = 2048, 4
        s.visual.global_.offwidth, s.visual.global_.offheight = size
        # the range of depths is in units of the model's extent
        s.stat.extent, s.stat.center = 1.0, [0, 0, 1]
        s.visual.map.znear, s.visual.map.zfar = 0.05, 40.0
        s.visual.map.shadowscale = 0.72
        ambient = self.scene.ambient
        s.visual.headlight.ambient = ambient
        s.visual.headlight.diffuse = 0.18 * ambient / ambient.mean()
        s.visual.headlight.specular = [0, 0, 0]

    def _material(self, material: Material) -> str:
        name = self._materials.get(id(material))
        if name is not None:
            return name
        name = f'm{len(self._materials)}'
        self._materials[id(material)] = name
        shade = 1.0 if material.texture is None else float(material.texture.mean()) / 255
        self._brightness.append(float(np.mean(material.rgb)) * shade)
        spec = self._spec.add_material(name=name)
        spec.rgba = [*material.rgb, 1.0]
        spec.specular, spec.shininess = material.specular, material.shininess
        spec.emission = material.emission
        if material.texture is not None:
            image = material.texture
            texture = self._spec.add_texture(name=f't{name}', type=mujoco.mjtTexture.mjTEXTURE_2D)
            texture.width, texture.height, texture.nchannel = image.shape[1], image.shape[0], 3
            # rows of a MuJoCo texture go up
            texture.data = np.ascontiguousarray(image[::-1]).tobytes()
            spec.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = f't{name}'
        return name

    def _segment(self, thing: Thing, number: int) -> int:
        rotations, origins = thing.map_poses()
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, rotations[number].ravel())
        body = self._spec.worldbody.add_body(pos=origins[number], quat=quat, mocap=thing.movable)
        for part in thing.segments[number]:
            name = f'g{len(self._spec.meshes)}'
            mesh = self._spec.add_mesh(name=name)
            mesh.uservert = part.mesh.vertices.ravel()
            mesh.userface = part.mesh.faces.ravel()
            mesh.usertexcoord = part.mesh.uv.ravel()
            mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
            body.add_geom(
                name=name,
                type=mujoco.mjtGeom.mjGEOM_MESH,
                meshname=name,
                material=self._material(part.material),
                contype=0,
                conaffinity=0,
            )
        return len(thing.segments[number])

    def _light(self, light) -> None:
        spec = self._spec.worldbody.add_light()
        spec.pos, spec.dir = light.position, light.direction
        spec.diffuse, spec.ambient = light.rgb, [0, 0, 0]
        spec.specular = 0.4 * light.rgb
        spec.cutoff, spec.exponent = light.cutoff, 1.0
        spec.attenuation = [0.75, 0.06, 0.03]
        spec.castshadow = light.shadow
