"""The exit statuses of jailoc: 0 fine, and these."""

ERROR = 1
"""Something went wrong, or was interrupted."""
DIFFERENT = 2
"""Differences were asked for, and found."""
NOT_RUN = 125
"""jailoc's own error, where other statuses are those of a program that it runs (docker-exec(1))."""
NOT_EXECUTED = 126
"""A program is there and cannot be executed (POSIX, Shell Command Language, 2.8.2)."""
NOT_FOUND = 127
"""There is no such program (the same)."""
SIGNALLED = 128
"""Plus its number: a signal ended a program (POSIX, Shell Command Language, 2.8.2)."""
