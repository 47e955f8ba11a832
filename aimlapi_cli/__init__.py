"""The command `aimlapi`: ask a model, list models, check the set-up, sum up costs."""
