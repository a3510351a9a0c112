# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Whether memory that the host and a device share was closed while arrays viewed it."""


def views_told_of(caplog) -> list[str]:
    """Return what was logged of such views in a test, beginnings and ends of fixtures included."""
    phases = ('setup', 'call', 'teardown')
    said = [record.getMessage() for phase in phases for record in caplog.get_records(phase)]
    return [text for text in said if 'still view' in text]
