# tests/unit/ctl
check_PROGRAMS += tests/unit/ctl/test_options
tests_unit_ctl_test_options_SOURCES = tests/unit/ctl/test_options.c
