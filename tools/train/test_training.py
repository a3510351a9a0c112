# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The training tools against independent references; run with `pytest tools/train`."""

import contextlib
import io

import cv2
import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from assign import Truth, assign
from augment import Strength, augment, letterbox
from average_precision import Found, average_precision
from export import check_onnx, write_onnx
from jpeg import degrade
from labels import LABELS, SIZES
from model import SceneDetector, cell_centres
from predict import select
from shards import MAX_OBJECTS, Batch


def random_scene(seed: int, pictures: int = 40, objects: int = 6, detections: int = 30):
    """Detections that are mostly an object's box with an error, and the objects."""
    rng = np.random.default_rng(seed)
    boxes = rng.random((pictures, objects, 4)) * 400
    boxes[..., 2:] = boxes[..., :2] + 20 + rng.random((pictures, objects, 2)) * 150
    classes = rng.integers(0, len(LABELS), (pictures, objects))
    present = rng.random((pictures, objects)) < 0.8
    ignored = present & (rng.random((pictures, objects)) < 0.25)
    source = rng.integers(0, objects, (pictures, detections))
    rows = np.arange(pictures)[:, None]
    found = boxes[rows, source] + rng.normal(0, 8, (pictures, detections, 4))
    found[..., 2:] = np.maximum(found[..., 2:], found[..., :2] + 1)
    stray = rng.random((pictures, detections)) < 0.3
    labels = np.where(stray, rng.integers(0, len(LABELS), stray.shape), classes[rows, source])
    scores = -np.sort(-rng.random((pictures, detections)), 1)
    as_tensor = [torch.from_numpy(x) for x in (found.astype(np.float32), scores, labels)]
    truth = [boxes.astype(np.float32), classes, present & ~ignored, ignored]
    return Found(*as_tensor), Truth(*(torch.from_numpy(x) for x in truth))


def coco_precision(found: Found, truth: Truth) -> np.ndarray:
    """AP [thresholds, classes] by pycocotools; difficult objects are put outside its area range."""
    annotations, results = [], []
    for picture in range(len(truth.boxes)):
        for m in torch.nonzero(truth.real[picture] | truth.ignored[picture])[:, 0].tolist():
            x0, y0, x1, y1 = truth.boxes[picture, m].double().tolist()
            annotations.append({
                'id': len(annotations) + 1, 'image_id': picture + 1, 'iscrowd': 0,
                'category_id': int(truth.classes[picture, m]) + 1,
                'bbox': [x0, y0, x1 - x0, y1 - y0],
                'area': 1e9 if truth.ignored[picture, m] else 10,
            })  # fmt: skip
        for k in range(found.boxes.shape[1]):
            x0, y0, x1, y1 = found.boxes[picture, k].double().tolist()
            results.append({
                'image_id': picture + 1, 'category_id': int(found.classes[picture, k]) + 1,
                'bbox': [x0, y0, x1 - x0, y1 - y0], 'score': float(found.scores[picture, k]),
            })  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            'images': [{'id': p + 1} for p in range(len(truth.boxes))],
            'annotations': annotations,
            'categories': [{'id': c + 1} for c in range(len(LABELS))],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(results), 'bbox')
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e8]], ['all']
        judge.params.maxDets = [100]
        judge.evaluate()
        judge.accumulate()
    return judge.eval['precision'][:, :, :, 0, 0].mean(1)


@pytest.mark.parametrize('seed', range(3))
def test_average_precision_agrees_with_pycocotools(seed):
    found, truth = random_scene(seed)
    np.testing.assert_allclose(
        average_precision(found, truth).ap, coco_precision(found, truth), atol=1e-9
    )


@pytest.mark.parametrize('quality', [20, 50, 75, 95])
def test_jpeg_agrees_with_opencv(quality):
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    picture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    coded = cv2.imencode('.jpg', picture[..., ::-1], flags)[1]
    want = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    got = degrade(torch.from_numpy(picture[None]), torch.tensor([float(quality)]))[0].numpy()
    # Two decoders may round differently; what quality takes away is 2 to 8 grey levels here.
    assert np.abs(got - want).mean() < 1.2
    assert np.abs(got - want).mean() < 0.5 * np.abs(picture.astype(int) - want).mean()


def bright_rectangle(box) -> Batch:
    """One dark picture with a bright rectangle as its only object."""
    images = torch.full((1, 480, 640, 3), 20, dtype=torch.uint8)
    x0, y0, x1, y1 = box
    images[0, y0:y1, x0:x1] = 255
    boxes = torch.zeros(1, MAX_OBJECTS, 4)
    boxes[0, 0] = torch.tensor(box)
    first = torch.zeros(1, MAX_OBJECTS, dtype=torch.bool)
    first[0, 0] = True
    zeros = torch.zeros(1, MAX_OBJECTS)
    return Batch(images, boxes, zeros.long(), zeros + 1.0, zeros.bool(), first)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('seed', range(8))
def test_boxes_follow_the_pixels_of_augmented_views(size, seed):
    torch.manual_seed(seed)
    strength = Strength(light=0, colour=0, tint=0, soft=0, noise=0)
    views, truth = augment(bright_rectangle((200, 150, 420, 390)), size, strength)
    lit = (views[0].mean(0) > 0.72).nonzero()
    low, high = lit.amin(0).flip(0), lit.amax(0).flip(0) + 1
    assert truth.real[0, 0]
    assert torch.cat((low, high)).float() == pytest.approx(truth.boxes[0, 0].numpy(), abs=1.6)


@pytest.mark.parametrize('size', SIZES)
def test_letterbox_agrees_with_opencv(size):
    picture = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    batch = bright_rectangle((0, 0, 1, 1))
    views, _ = letterbox(Batch(torch.from_numpy(picture[None]), *_labels_of(batch)), size)
    fit = min(size[0] / 640, size[1] / 480)
    inner = cv2.resize(picture, (round(640 * fit), round(480 * fit))).astype(np.float32)
    pad = (size[1] - inner.shape[0]) // 2
    want = cv2.copyMakeBorder(inner, pad, pad, 0, 0, cv2.BORDER_CONSTANT, value=(114,) * 3)
    assert np.abs(views[0].permute(1, 2, 0).numpy() * 255 - want).max() <= 1.0


def _labels_of(batch: Batch):
    return (batch.boxes, batch.classes, batch.visible, batch.difficult, batch.present)


def test_every_object_gets_cells_and_difficult_ones_are_left_undecided():
    centres, _ = cell_centres(480, 640)
    boxes = torch.tensor([[[10, 10, 18, 16], [100, 100, 400, 400], [500, 50, 620, 300.0]]])
    classes = torch.tensor([[2, 0, 5]])
    real, ignored = torch.tensor([[True, True, False]]), torch.tensor([[False, False, True]])
    truth = Truth(boxes, classes, real, ignored)
    n = centres.shape[1]
    predicted = torch.cat((centres - 40, centres + 40)).T[None]
    targets = assign(torch.full((1, len(LABELS), n), 0.1), predicted, centres, truth)
    won = {tuple(b.tolist()) for b in targets.boxes[0, targets.positive[0]]}
    assert won == {tuple(boxes[0, 0].tolist()), tuple(boxes[0, 1].tolist())}
    undecided = (targets.weights[0] == 0).nonzero()
    assert set(undecided[:, 0].tolist()) == {5}
    covered = centres[:, undecided[:, 1]]
    assert (covered[0] > 500).all()
    assert (covered[0] < 620).all()
    assert targets.scores[0].amax(0)[~targets.positive[0]].max() == 0


def test_suppression_agrees_with_brute_force():
    rng = np.random.default_rng(4)
    n = 200
    low = rng.random((n, 2)) * 200
    boxes = np.concatenate((low, low + 20 + rng.random((n, 2)) * 80), 1).astype(np.float32)
    scores = rng.random((len(LABELS), n)).astype(np.float32) ** 4
    got = select(torch.from_numpy(boxes[None]), torch.from_numpy(scores[None]), 0.5, keep=150)
    pairs = sorted(((s, c, i) for (c, i), s in np.ndenumerate(scores)), reverse=True)[:150]
    kept: list[tuple[float, int, int]] = []
    for s, c, i in pairs:
        rivals = [boxes[j] for _, d, j in kept if d == c]
        if s > 1e-3 and all(_iou(boxes[i], r) <= 0.5 for r in rivals):
            kept.append((float(s), c, i))
    alive = got[1][0] > 0
    assert got[1][0][alive].tolist() == pytest.approx([s for s, _, _ in kept])
    assert got[2][0][alive].tolist() == [c for _, c, _ in kept]


def _iou(a, b) -> float:
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)]
    return width * height / (sum(areas) - width * height)


@pytest.mark.parametrize('size', SIZES)
def test_exported_network_agrees_with_the_model(size, tmp_path):
    torch.manual_seed(0)
    model = SceneDetector(len(LABELS))
    for _ in range(2):  # BatchNorm statistics other than their initial ones
        model(torch.rand(2, 3, 128, 128))
    path = tmp_path / 'network.onnx'
    write_onnx(model.eval(), path, *size)
    boxes, scores = check_onnx(model, path, *size)
    assert boxes < 1e-4 * size[0]
    assert scores < 1e-4
