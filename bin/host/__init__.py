"""What this machine keeps for jailoc: paths, files, locks, the keyring, the log, the web."""
