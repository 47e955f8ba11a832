"""Rules that a test scripts with `Emulator.when`, and requests it asserts on."""
