# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Looking for what is wrong around the nodes: the machine, the installation, the transport.

Every check returns findings and changes nothing.  What it looks at comes in as arguments (the root
of the file system, the environment's variables), so that a test can show it any machine.
"""
