"""Token usage, its cost in credits, and the ledger of the account."""
