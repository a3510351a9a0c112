// Copyright 2026 The jetson_infer authors
// SPDX-License-Identifier: Apache-2.0
//
// What candidates.cu writes and detections.cu reads.  Mirrors ROW and HEADER in candidates.py.

struct alignas(16) Candidate {
    float box[4];
    float score;
    int class_id, anchor, reserved;
};

// The counter goes on beyond the capacity, which tells the overflow.
struct alignas(16) Candidates {
    int count, reserved[7];
    Candidate rows[1];
};
