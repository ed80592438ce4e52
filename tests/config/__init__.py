"""Every behaviour of the configuration language, one file each."""
