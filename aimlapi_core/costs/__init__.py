"""What calls cost: scopes, totals, budgets and reconciliation. No I/O."""
