# tests/unit/aliases
check_PROGRAMS += tests/unit/aliases/test_aliases tests/unit/aliases/test_forms
tests_unit_aliases_test_aliases_SOURCES = tests/unit/aliases/test_aliases.c tests/unit/aliases/tables.c tests/unit/aliases/tables.h
tests_unit_aliases_test_forms_SOURCES = tests/unit/aliases/test_forms.c tests/unit/aliases/tables.c tests/unit/aliases/tables.h
noinst_PROGRAMS += tests/unit/aliases/ask_aliases
tests_unit_aliases_ask_aliases_SOURCES = tests/unit/aliases/ask_aliases.c
