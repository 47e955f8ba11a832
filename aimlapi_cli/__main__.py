"""`python -m aimlapi_cli` is the command `aimlapi`."""

import sys

from aimlapi_cli.main import main

if __name__ == "__main__":
    sys.exit(main())
