# tests/unit/ctl
ctl_fixture = tests/unit/ctl/fixture.c tests/unit/ctl/fixture.h
check_PROGRAMS += tests/unit/ctl/test_options
tests_unit_ctl_test_options_SOURCES = tests/unit/ctl/test_options.c
check_PROGRAMS += tests/unit/ctl/test_limits
tests_unit_ctl_test_limits_SOURCES = tests/unit/ctl/test_limits.c $(ctl_fixture)
check_PROGRAMS += tests/unit/ctl/test_rows tests/unit/ctl/test_state
tests_unit_ctl_test_rows_SOURCES = tests/unit/ctl/test_rows.c $(ctl_fixture)
tests_unit_ctl_test_state_SOURCES = tests/unit/ctl/test_state.c $(ctl_fixture)
