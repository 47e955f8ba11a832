"""Makes a conversation of any origin fit for the API: results of tools, ids, names, characters."""
