"""The endpoints: completions, Responses, embeddings, models, account; bodies, events, errors."""
