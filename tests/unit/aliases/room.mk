# tests/unit/aliases
noinst_PROGRAMS += tests/unit/aliases/ask_aliases
tests_unit_aliases_ask_aliases_SOURCES = tests/unit/aliases/ask_aliases.c
