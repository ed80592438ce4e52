"""The exit statuses of jailoc: 0 fine, and these."""

ERROR = 1
"""Something went wrong, or was interrupted."""
DIFFERENT = 2
"""Differences were asked for, and found."""
