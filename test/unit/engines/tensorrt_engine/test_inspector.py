# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The inspector's JSON, in the shapes that the versions' documentation shows."""

import json
from pathlib import Path

import pytest

from jetson_infer.engines.engine_layers import EngineLayer, LayerTensor, PrecisionFound
from jetson_infer.engines.tensorrt.inspector_text import clean_name, parse_layer, parse_layers

OLD = {  # 8.6 and 10, detailed
    'Layers': [
        {
            'Name': 'Reformatting CopyNode for Input Tensor 0 to conv1 + relu1',
            'LayerType': 'Reformat',
            'Inputs': [
                {
                    'Name': 'image',
                    'Location': 'Device',
                    'Dimensions': [1, 3, 640, 640],
                    'Format/Datatype': 'Row major linear FP32',
                }
            ],
            'Outputs': [
                {
                    'Name': 'Reformatted Input Tensor 0 to conv1 + relu1',
                    'Location': 'Device',
                    'Dimensions': [1, 3, 640, 640],
                    'Format/Datatype': 'Channel major FP16 format where channel % 4 == 0',
                }
            ],
            'ParameterType': 'Reformat',
            'Origin': 'REFORMAT',
            'TacticValue': '0x0000000000000000',
        },
        {
            'Name': 'conv1 + relu1',
            'LayerType': 'CaskConvolution',
            'Inputs': [
                {
                    'Name': 'Reformatted Input Tensor 0 to conv1 + relu1',
                    'Location': 'Device',
                    'Dimensions': [1, 3, 640, 640],
                    'Format/Datatype': 'Channel major FP16 format where channel % 4 == 0',
                }
            ],
            'Outputs': [
                {
                    'Name': 'relu1',
                    'Location': 'Device',
                    'Dimensions': [1, 16, 320, 320],
                    'Format/Datatype': 'Thirty-two wide channel vectorized row major Int8 format',
                }
            ],
            'ParameterType': 'Convolution',
            'Weights': {'Type': 'Half', 'Count': 432},
            'TacticName': 'sm80_xmma_fprop_implicit_gemm_f16f16_f16f16_f16_nhwckrsc_nhwc',
            'TacticValue': '0x18ef97651ad5379a',
        },
        {
            'Name': 'conv2',
            'LayerType': 'CaskConvolution',
            'Inputs': [
                {
                    'Name': 'relu1',
                    'Dimensions': [1, 16, 320, 320],
                    'Format/Datatype': 'Thirty-two wide channel vectorized row major Int8 format',
                }
            ],
            'Outputs': [
                {
                    'Name': 'c2',
                    'Dimensions': [1, 16, 320, 320],
                    'Format/Datatype': 'Row major linear FP16 format',
                }
            ],
        },
        {
            'Name': '{ForeignNode[/head/Add.../head/Softmax]}',
            'LayerType': 'Myelin',
            'Inputs': [
                {
                    'Name': 'c2',
                    'Dimensions': [1, 16, 320, 320],
                    'Format/Datatype': 'Row major linear FP32',
                }
            ],
            'Outputs': [],
            'TacticValue': '0x0000000000000000',
        },
        {
            'Name': '/Shape',
            'LayerType': 'Shape',
            'Inputs': [
                {'Name': 'image', 'Dimensions': [], 'Format/Datatype': 'Row major linear FP32'}
            ],
            'Outputs': [{'Name': 's', 'Dimensions': [4], 'Format/Datatype': 'Int32'}],
        },
    ],
    'Bindings': ['image', 'out'],
}
RAW_8_6 = """{"Layers": [{
  "Name": "conv0 + relu",
  "LayerType": "CaskConvolution",
  "Inputs": [
  {
    "Name": "image",
    "Location": "Device",
    "Dimensions": [1,3,32,32],
    "Format/Datatype": "Row major linear FP32"
  }],
  "Outputs": [
  {
    "Name": "b",
    "Location": "Device",
    "Dimensions": [1,16,32,32],
    "Format/Datatype": "Row major linear FP32"
  }],
  "ParameterType": "Convolution",
  "Kernel": [3,3],
  "PaddingMode": "kEXPLICIT_ROUND_DOWN",
  "PrePadding": [1,1],
  "PostPadding": [1,1],
  "Stride": [1,1],
  "Dilation": [1,1],
  "OutMaps": 16,
  "Groups": 1,
  "Weights": {"Type": "Float", "Count": 432},
  "Bias": {"Type": "Float", "Count": 16},
  "HasSparseWeights": 0,
  "HasDynamicFilter": 0,
  "HasDynamicBias": 0,
  "HasResidual": 0,
  "ConvXAsActInputIdx": -1,
  "BiasAsActInputIdx": -1,
  "ResAsActInputIdx": -1,
  "Activation": "RELU",
  "TacticName": "sm80_xmma_fprop_implicit_gemm_f32f32_f32f32_f32_nchwkcrs_nchw",
  "TacticValue": "0xec7f1c3a2a7dd170",
  "StreamId": 0,
  "Metadata": "[ONNX Layer: conv0]\x1e[ONNX Layer: relu]"
},{
  "Name": "Reformatting CopyNode for Output Tensor 0 to conv0 + relu",
  "LayerType": "Reformat",
  "Inputs": [
  {
    "Name": "Reformatted Output Tensor 0 to conv0 + relu",
    "Location": "Device",
    "Dimensions": [1,16,32,32],
    "Format/Datatype": "Row major linear FP32"
  }],
  "Outputs": [
  {
    "Name": "b",
    "Location": "Device",
    "Dimensions": [1,16,32,32],
    "Format/Datatype": "Thirty-two wide channel vectorized row major INT8 format (kCHW32)"
  }],
  "ParameterType": "Reformat",
  "Origin": "QDQ",
  "TacticValue": "0x00000000000003e8",
  "StreamId": 0,
  "Metadata": ""
},{
  "Name": "__myl_pad\x1fmean",
  "LayerType": "Myelin",
  "Inputs": [
  {
    "Name": "b",
    "Location": "Device",
    "Dimensions": [1,16,32,32],
    "Format/Datatype": "Channel major FP16 format where channel % 8 == 0"
  }],
  "Outputs": [
  {
    "Name": "features",
    "Location": "Device",
    "Dimensions": [1,16],
    "Format/Datatype": "Row major linear FP16 format"
  }],
  "Fill": -inf,
  "Alpha": nan,
  "Source": "a\\pad",
  "TacticValue": "0x0000000000000000",
  "StreamId": 0,
  "Metadata": "[ONNX Layer: pad[0]]\x1f[ONNX Layer: mean]\x1e[ONNX Layer: mean]"
}],
"Bindings": ["image"
,"features"
]}
"""
"""As 8.6 writes it: control characters within texts, and numbers and backslashes of C++."""

NEW = {  # 11: a field of its own for the type, and another name for the bindings
    'Layers': [
        {
            'Name': 'conv1',
            'LayerType': 'gemm',
            'Inputs': [
                {
                    'Name': 'image',
                    'Dimensions': [1, -1, 8],
                    'Format': 'Row major linear',
                    'Datatype': 'BFloat16',
                }
            ],
            'Outputs': [
                {'Name': 'y', 'Dimensions': [1, -1, 8], 'Format': 'kLINEAR', 'Datatype': 'Float'}
            ],
            'TacticName': 'gemm_mma_v2',
        }
    ],
    'I/O Tensors': ['image', 'y'],
}


def test_layers_of_8_6_and_10():
    layers = parse_layers(json.dumps(OLD))
    assert [(layer.kind, layer.precision) for layer in layers] == [
        ('Reformat', ''),
        ('CaskConvolution', 'fp16'),  # though it writes int8
        ('CaskConvolution', 'int8'),  # though it writes float16
        ('Myelin', 'fp32'),
        ('Shape', ''),
    ]
    convolution = layers[1]
    assert convolution.name == 'conv1 + relu1'
    assert convolution.tactic.startswith('sm80_xmma')
    assert convolution.outputs == (
        LayerTensor(
            'relu1',
            'int8',
            (1, 16, 320, 320),
            'Thirty-two wide channel vectorized row major Int8 format',
        ),
    )


def test_the_text_of_8_6():
    with pytest.raises(json.JSONDecodeError, match='Invalid control character'):
        json.loads(RAW_8_6)
    convolution, reformat, myelin = parse_layers(RAW_8_6)
    assert convolution.name == 'conv0 + relu'
    assert (convolution.kind, convolution.precision) == ('CaskConvolution', 'fp32')
    assert convolution.tactic.startswith('sm80_xmma_fprop')
    assert convolution.nodes == ('conv0', 'relu')
    assert convolution.inputs == (
        LayerTensor('image', 'fp32', (1, 3, 32, 32), 'Row major linear FP32'),
    )
    assert (reformat.precision, reformat.outputs[0].precision) == ('', 'int8')
    assert reformat.nodes == ()
    assert (myelin.name, myelin.precision) == ('__myl_pad + mean', 'fp16')
    assert myelin.nodes == ('pad[0]', 'mean')
    assert str(PrecisionFound.of('mixed', (convolution, reformat, myelin))).endswith(
        'found fp16+fp32 (layers: 1 in fp16, 1 in fp32)'
    )


def test_what_8_6_told_of_an_engine_on_an_h200():
    """Eight of the 167 layers of YOLOv8n's architecture in INT8, as they came."""
    told = (Path(__file__).parent / 'inspector_8_6_h200.txt').read_text(encoding='utf-8')
    layers = parse_layers(told)
    assert [(layer.kind, layer.precision) for layer in layers] == [
        ('Constant', ''),
        ('Reformat', ''),
        ('CaskConvolution', 'int8'),
        ('CaskConvolution', 'int8'),
        ('NoOp', ''),
        ('CaskConvolution', 'int8'),  # though it writes float16
        ('PointWiseV2', 'fp16'),  # though it writes int8
        ('CaskConvolution', 'int8'),  # though it writes float32
    ]
    assert layers[2].nodes == ('conv_0', 'sigmoid_1', 'mul_2')


def test_one_layer_of_8_6():
    whole = RAW_8_6.removeprefix('{"Layers": [').partition('},{')[0] + '}'
    assert parse_layer(whole) == parse_layers(RAW_8_6)[0]
    assert parse_layer('"conv0 + relu"').name == 'conv0 + relu'
    with pytest.raises(ValueError, match='no layer'):
        parse_layer('3')


@pytest.mark.parametrize(
    'changes',
    [
        {'Inputs': 'N/A', 'Outputs': None},
        {'Inputs': [{'Name': 'x', 'Dimensions': ['?', 3]}, 'y', 7]},
        {'Inputs': [{'Dimensions': 5, 'Format/Datatype': 3}], 'Weights': 'Float'},
        {'LayerType': None, 'Metadata': 4, 'TacticName': 7, 'Weights': {'Type': None}},
    ],
)
def test_a_strange_layer_does_not_lose_the_others(changes):
    value = {'Layers': [{'Name': 'strange', **changes}, OLD['Layers'][1]]}
    strange, convolution = parse_layers(json.dumps(value))
    assert (strange.name, strange.precision) == ('strange', '')
    assert convolution.precision == 'fp16'


def test_layers_that_tell_their_precision_alone():
    layer = {'Name': 'n', 'LayerType': 'Convolution', 'Precision': 'FP16'}
    assert parse_layers(json.dumps({'Layers': [layer]}))[0].precision == 'fp16'


def test_nodes_within_functions():
    metadata = '[ONNX Layer: a | call (F) | outer (G)]\x1e[ONNX Layer: node_of_y][ONNX Layer: b]'
    layer = {'Name': 'n', 'LayerType': 'kgen', 'Metadata': metadata}
    assert parse_layers(json.dumps({'Layers': [layer]}))[0].nodes == ('a', 'node_of_y', 'b')


def test_names_are_made_clean():
    assert clean_name('conv1\x1e[ONNX Layer: conv1]\x1f\n') == 'conv1 + [ONNX Layer: conv1]'


@pytest.mark.parametrize(
    ('layout', 'precision'),
    [
        ('Row major linear FP32', 'fp32'),
        ('Row major linear FP32 format (kLINEAR)', 'fp32'),
        ('Row major linear FP16 format', 'fp16'),
        ('Row major linear INT8 format (kLINEAR)', 'int8'),
        ('Row major Int8 format', 'int8'),
        ('Row major linear Int32', 'int32'),
        ('Row major linear BOOL', 'bool'),
        ('Two wide channel vectorized row major FP16 format', 'fp16'),
        ('Four wide channel vectorized row major Int8 format', 'int8'),
        ('Thirty-two wide channel vectorized row major Int8 format with 3 spatial dimensions',
         'int8'),
        ('Channel major FP16 format where channel == 4 and column stride % 32 == 0', 'fp16'),
        ('Channel major INT8 format where channel % 16 == 0', 'int8'),
        ('Channel major FP32 format with 3 spatial dimensions where channel % 4 == 0', 'fp32'),
        ('Unknown format', ''),
        ('N/A due to dynamic shapes', ''),
    ],
)  # fmt: skip
def test_every_layout_of_8_6(layout, precision):
    tensor = {'Name': 'x', 'Dimensions': [1], 'Format/Datatype': layout}
    layer = {'Name': 'n', 'LayerType': 'CaskPooling', 'Inputs': [tensor]}
    (found,) = parse_layers(json.dumps({'Layers': [layer]}))
    assert found.inputs[0].precision == precision


def test_layers_of_11():
    (layer,) = parse_layers(json.dumps(NEW))
    assert layer.precision == 'bf16'
    assert layer.inputs == (LayerTensor('image', 'bf16', (1, -1, 8), 'Row major linear'),)
    assert layer.outputs[0].precision == 'fp32'


def test_layers_that_are_mere_names():
    layers = parse_layers('{"Layers": ["conv1 + relu1", "conv2"], "Bindings": ["image"]}')
    assert [(layer.name, layer.precision) for layer in layers] == [
        ('conv1 + relu1', ''),
        ('conv2', ''),
    ]


@pytest.mark.parametrize(
    ('kind', 'precision', 'dla'),
    [('DLA', 'int8', True), ('CaskPooling', 'int8', False)],
)
def test_a_layer_on_the_dla(kind, precision, dla):
    layer = {'Name': 'n', 'LayerType': kind, 'Inputs': [{'Name': 'x', 'Format/Datatype': 'Int8'}]}
    (found,) = parse_layers(json.dumps({'Layers': [layer]}))
    assert (found.precision, found.dla) == (precision, dla)


def test_shapes_and_types_that_are_not_told():
    tensor = {'Name': 'x', 'Dimensions': None, 'Format/Datatype': 'N/A due to dynamic shapes'}
    layer = {'Name': 'n', 'LayerType': 'Conv', 'Inputs': [tensor], 'Weights': {'Type': 'Half'}}
    (found,) = parse_layers(json.dumps({'Layers': [layer]}))
    assert found.inputs == (LayerTensor('x', '', (), 'N/A due to dynamic shapes'),)
    assert found.precision == 'fp16'  # from the weights


@pytest.mark.parametrize('text', ['', 'no json', '[]', '{}', '{"Layers": 3}', 'null'])
def test_what_is_no_engine_is_refused(text):
    with pytest.raises(ValueError, match=r'JSON|Layers'):
        parse_layers(text)


def test_layers_travel_as_json():
    layers = (*parse_layers(json.dumps(OLD)), *parse_layers(RAW_8_6))
    text = json.dumps([layer.to_json() for layer in layers])
    assert tuple(EngineLayer.from_json(value) for value in json.loads(text)) == layers
    older = layers[0].to_json()
    del older['nodes']  # as files of earlier versions are
    assert EngineLayer.from_json(older) == layers[0]


def of(asked: str, *precisions: str) -> PrecisionFound:
    layers = [EngineLayer(f'l{i}', 'Conv', precision) for i, precision in enumerate(precisions)]
    return PrecisionFound.of(asked, layers)


@pytest.mark.parametrize(
    ('asked', 'precisions', 'found', 'missing', 'told'),
    [
        ('fp32', ['fp32', ''], 'fp32', False, 'found fp32 (layers: 1 in fp32)'),
        ('fp16', ['fp16', 'fp16'], 'fp16', False, '2 in fp16'),
        ('fp16', ['fp16', 'fp32'], 'fp16+fp32', False, 'above fp16: l1'),
        ('fp16', ['fp32', 'fp32'], 'fp32', True, 'no layer has what was asked for'),
        ('int8', ['fp16', 'int8', 'fp32'], 'int8+fp16+fp32', False, 'above int8: l0, l2'),
        ('int8', ['fp16'], 'fp16', True, 'no layer has'),
        ('mixed', ['fp32', 'fp16'], 'fp16+fp32', False, '1 in fp16, 1 in fp32'),
        ('mixed', ['fp32'], 'fp32', True, 'no layer has'),
        ('fp16', [''], 'unknown', False, 'does not tell'),
        ('int8', ['int8', *['fp16'] * 5], 'int8+fp16', False, 'l1, l2, l3 and 2 more'),
    ],
)
def test_the_precision_found_beside_the_one_asked_for(asked, precisions, found, missing, told):
    result = of(asked, *precisions)
    assert (result.found, result.is_missing) == (found, missing)
    assert told in str(result)
