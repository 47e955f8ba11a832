"""One-line breaks of the code, one a promise: a test must notice each (`make mutations`)."""
