"""What each command takes: its flags, and the text of its help. Nothing heavy is imported here."""
