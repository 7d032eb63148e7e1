"""Enforces what linters cannot: sizes, calls that must go another way, dead modules, links, and where code was made."""
