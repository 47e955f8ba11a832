"""A Ray cluster of this machine, until its standard input ends; its first line is its address."""

from __future__ import annotations

import sys
import tempfile

import ray

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            object_store_memory=100_000_000,
            _temp_dir=folder,
        )
        try:
            print(ray.get_runtime_context().gcs_address, flush=True)
            sys.stdin.read()
        finally:
            ray.shutdown()
