"""What answers hold beside or in place of plain text: failures, contents of other types."""
