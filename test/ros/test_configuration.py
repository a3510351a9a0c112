# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The installed parameter file names parameters that exist, with values that they take."""

import re
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory

from jetson_infer.ros.detector_node import DETECTOR_PARAMETERS
from jetson_infer.ros.inference_parameters import COMMON_PARAMETERS

SPECS = {spec.name: spec for spec in (*COMMON_PARAMETERS, *DETECTOR_PARAMETERS)}


def test_the_detectors_parameter_file_gives_the_defaults_of_what_it_names():
    share = Path(get_package_share_directory('jetson_infer'))
    values = yaml.safe_load((share / 'config/detector.yaml').read_text())['/**']['ros__parameters']
    assert set(values) <= set(SPECS)
    for name, value in values.items():
        assert SPECS[name].check(value) == SPECS[name].default, name


def test_every_parameter_is_told_in_the_file():
    share = Path(get_package_share_directory('jetson_infer'))
    text = (share / 'config/detector.yaml').read_text()
    told = re.findall(r'^ *(?:# *)?(\w+):', text, re.MULTILINE)
    assert [name for name in SPECS if name not in told] == []
