"""Cost tracking: scopes, totals, budgets and reconciliation with the service's logs. No I/O."""
