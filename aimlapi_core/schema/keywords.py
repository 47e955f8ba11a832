"""What strict mode (`strict: true`) takes: OpenAI's published subset of JSON Schema, as tables.

Source, where a line names no other: "Structured model outputs", sections "Supported schemas" and
"Some type-specific keywords are not yet supported"
(https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas, as public
validators quote its states of 2026-02, 2026-07-30 and 2026-08, seen 2026-11-29). AI/ML API
documents no rules of its own and passes OpenAI's refusals on.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Keywords that may be sent. `title` and `default` are not listed there; they carry no rule.
SUPPORTED_KEYWORDS = frozenset(
    "type properties required additionalProperties items anyOf enum const description $ref $defs "
    "pattern format multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minItems "
    "maxItems".split()
)
# Keywords that restrict values in a way that strict mode has no form for. Any other keyword is an
# annotation by JSON Schema's rules, and is left out.
UNSUPPORTED_KEYWORDS = frozenset(
    "allOf not if then else dependentRequired dependentSchemas dependencies patternProperties "
    "prefixItems additionalItems contains minContains maxContains uniqueItems propertyNames "
    "minProperties maxProperties unevaluatedProperties unevaluatedItems minLength maxLength "
    "$dynamicRef $recursiveRef".split()
)
# Those of them that a class of the caller's holds an answer to by itself.
CHECKED_BY_CLASSES = frozenset(("minLength", "maxLength", "uniqueItems"))

TYPES = frozenset("string number boolean integer object array null".split())
FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())
# pydantic's and OpenAPI's formats that say what a string is for, and refuse none.
ANNOTATING_FORMATS = frozenset("path password binary byte json-string".split())

MAX_PROPERTIES = 5_000
MAX_DEPTH = 10
MAX_ENUM_VALUES = 1_000
# Of one enum with more than MANY_ENUM_VALUES strings, all of them together.
MANY_ENUM_VALUES, MAX_ENUM_LENGTH = 250, 15_000
# Of all names of properties and definitions, and all values of enums and consts.
MAX_TOTAL_LENGTH = 120_000

# "regex lookaround is not supported" (vercel/ai #21037, pydantic-ai #5508, 2026-05 to 2026-09), for
# tools that are not strict too (decolua/9router #1556). References to groups and conditions are not
# regular either. Escapes and classes are matched first: what is inside them is no group.
_NOT_REGULAR = re.compile(
    r"\\[1-9kg]|(?P<other>\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\(\?(?:<?[=!]|P=|\(|>)", re.DOTALL
)


@lru_cache(maxsize=512)
def is_supported_pattern(pattern: object) -> bool:
    """Whether the service takes it as a `pattern`: a regular expression of Python's `re` too.

    OpenAI holds patterns to `format: regex` by Python's `re`: "'…\\p{Cc}…' is not a 'regex'"
    (reports of 2026-07 and later, for tools that are not strict).
    """
    if not isinstance(pattern, str):
        return False
    if any(match["other"] is None for match in _NOT_REGULAR.finditer(pattern)):
        return False
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True
