"""Execute the notebook named as the argument, in a kernel of its own that ends with it.

On stdout: each code cell's outputs as one text. A cell that raises ends this with a traceback.
"""

from __future__ import annotations

import json
import sys

import nbformat
from nbclient import NotebookClient


def main() -> int:
    """Run it; 1 when the kernel is still there afterwards."""
    notebook = nbformat.read(sys.argv[1], as_version=4)
    nbformat.validate(notebook)
    client = NotebookClient(notebook, timeout=None, startup_timeout=600, kernel_name="python3")
    client.execute()
    outputs = [
        "".join(
            out["text"] if out.output_type == "stream" else out["data"]["text/plain"]
            for out in cell.outputs
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    json.dump(outputs, sys.stdout)
    return 1 if client.km is not None and client.km.is_alive() else 0


if __name__ == "__main__":
    sys.exit(main())
