# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a validation's report is made of, whatever a network finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jetson_infer.engines.models import Model
from jetson_infer.toolchain.validate.chosen import ChosenImages
from jetson_infer.toolchain.validate.validating import Outcome, Ran

__all__ = ['AnyReport']


@dataclass(frozen=True)
class AnyReport:
    """What is reported.

    :param model: the model.
    :param data: the images.
    :param reference: what the variants were held against.
    :param results: the variants that ran, in the card's order.
    :param refused: those that could not be run, by name, with the reason.
    :param facts: on what machine, in order.
    :param command: how to do it again.
    :param when: for a person.
    """

    model: Model
    data: ChosenImages
    reference: Ran
    results: Sequence[Outcome]
    refused: Mapping[str, str]
    facts: Mapping[str, str]
    command: str
    when: str
