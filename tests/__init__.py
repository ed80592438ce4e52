"""Tests of jailoc."""
