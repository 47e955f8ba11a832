"""What each model id takes: one row per exact id or listed alias, never a prefix match.

The rows of GPT-5.2 and of the GPT family are checked by hand. Each other model that the vendor
documents has a row of the catalogue, a data file that `python -m scripts.models` writes. An id
without a row works: everything is sent to chat completions, and the API validates it.
"""

from aimlapi_core.models.lookup import (
    MODELS,
    is_router,
    listed_models,
    model_info,
    nearest,
    nearest_model,
)
from aimlapi_core.models.model_info import CHECKED, ModelInfo

__all__ = [
    "CHECKED",
    "MODELS",
    "ModelInfo",
    "is_router",
    "listed_models",
    "model_info",
    "nearest",
    "nearest_model",
]
