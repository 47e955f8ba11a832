"""One-line breaks of the code, one a promise: a test must notice each (`make mutations`)."""

from __future__ import annotations

from tests.mutations import (
    breaks_core,
    breaks_costs,
    breaks_emulator,
    breaks_faults,
    breaks_langchain,
    breaks_limits,
    breaks_llama_index,
    breaks_ray,
    breaks_release,
)

BREAKS = (
    *breaks_core.BREAKS,
    *breaks_costs.BREAKS,
    *breaks_emulator.BREAKS,
    *breaks_faults.BREAKS,
    *breaks_langchain.BREAKS,
    *breaks_limits.BREAKS,
    *breaks_llama_index.BREAKS,
    *breaks_ray.BREAKS,
    *breaks_release.BREAKS,
)
