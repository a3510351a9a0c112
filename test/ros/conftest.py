# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import rclpy
from rclpy.parameter import Parameter

from brightness_model import write_brightness_model
from ros_peer import Peer, Spinner


@pytest.fixture(scope='session', autouse=True)
def ros():
    rclpy.init()
    # One node for as long as the tests run: the DDS participant is then made and ended once.
    node = rclpy.create_node('session')
    yield
    node.destroy_node()
    rclpy.try_shutdown()


@pytest.fixture
def peer():
    spinner = Spinner()
    made = Peer(spinner.executor)
    spinner.start()
    yield made
    spinner.stop()
    made.node.destroy_node()


@pytest.fixture(scope='session')
def model_folder(tmp_path_factory):
    return write_brightness_model(tmp_path_factory.mktemp('models') / 'brightness')


@pytest.fixture
def start():
    """Return a function that makes a node with parameters and spins it until the test ends."""
    spinner = Spinner()
    made = []

    def start_node(node_type, parameters=None, **kwargs):
        overrides = [Parameter(name, value=value) for name, value in (parameters or {}).items()]
        node = node_type(parameter_overrides=overrides, **kwargs)
        spinner.executor.add_node(node)
        made.append(node)
        if len(made) == 1:
            spinner.start()
        return node

    yield start_node
    if made:
        spinner.stop()
    for node in made:
        node.close()
        node.destroy_node()
