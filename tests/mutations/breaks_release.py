"""One-line breaks of the examples, the pictures and the release, one a promise."""

from __future__ import annotations

from tests.mutations.breaks import Break

EXAMPLES, RELEASE = "tests/examples/test_examples.py", "tests/release/test_release.py"
CONTENTS, PICTURES = "tests/release/test_contents.py", "tests/test_pictures.py"
SETUP, SITE = "tests/release/test_setup.py", "tests/docs/test_site.py"

BREAKS = (
    Break(
        "Ctrl-C ends an example without a traceback",
        "examples/_service.py",
        "signal.signal(signal.SIGINT, _stop)\n",
        "",
        EXAMPLES,
    ),
    Break(
        "an error ends an example in clear words",
        "examples/_service.py",
        "sys.excepthook = _tell\n",
        "",
        EXAMPLES,
    ),
    Break(
        "an example shows what its docstring says",
        "examples/langchain_agent.py",
        "tools=[weather, local_time]",
        "tools=[weather]",
        EXAMPLES,
    ),
    Break(
        "a tag that is not the version is not released",
        "scripts/release.py",
        '    if tag != f"v{version}":',
        "    if False:",
        RELEASE,
    ),
    Break(
        "nothing is released with lines under [Unreleased]",
        "scripts/release.py",
        '    if texts.get("Unreleased"):',
        "    if False:",
        RELEASE,
    ),
    Break(
        "only the job that publishes may ask for an identity",
        ".github/workflows/release.yml",
        "permissions:\n  contents: read",
        "permissions:\n  contents: read\n  id-token: write",
        RELEASE,
    ),
    Break(
        "a tag that is not on main is not released",
        ".github/workflows/release.yml",
        "      - run: git merge-base --is-ancestor HEAD origin/main\n",
        "",
        RELEASE,
    ),
    Break(
        "nothing is released that the tests have not seen",
        ".github/workflows/release.yml",
        "      - run: make lint types test\n",
        "",
        RELEASE,
    ),
    Break(
        "what is published holds what is pinned",
        "scripts/release_check.py",
        "        if found != pinned[kind]\n",
        "        if not found\n",
        CONTENTS,
    ),
    Break(
        "the sdist is installed too",
        "scripts/release_check.py",
        ", (built.sdist, NONE)]",
        "]",
        CONTENTS,
    ),
    Break(
        "another Python makes the environment anew",
        "scripts/setup.sh",
        '    [ -z "${PYTHON:-}" ] || grep -qxF "$(at "$PYTHON")" "$stamp"\n',
        "",
        SETUP,
    ),
    Break(
        "a Python that will not do is named, and no other taken",
        "scripts/setup.sh",
        "check_named\nif",
        "if",
        SETUP,
    ),
    Break(
        "a page's every picture is this site's own",
        "scripts/site.py",
        'return value.split(",")',
        "return [value]",
        SITE,
    ),
    Break(
        "the sdist holds the packages alone",
        "pyproject.toml",
        '    "/README.md", "/CHANGELOG.md", "/LICENSE",',
        '    "/README.md", "/CHANGELOG.md", "/LICENSE", "/scripts",',
        CONTENTS,
    ),
    Break(
        "the core needs httpx and pydantic alone",
        "pyproject.toml",
        '    "pydantic>=2.8,<3",',
        '    "pydantic>=2.8,<3", "h11",',
        CONTENTS,
    ),
    Break(
        "a picture's pauses are cut",
        "scripts/terminal.py",
        "min(piece.at_s - before_s, _LONGEST_PAUSE_S)",
        "piece.at_s - before_s",
        PICTURES,
    ),
    Break(
        "a picture's rows wrap as the terminal's",
        "scripts/terminal.py",
        "                if not room:",
        "                if False:",
        PICTURES,
    ),
)
