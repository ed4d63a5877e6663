# tests/unit/conf
check_PROGRAMS += tests/unit/conf/test_load tests/unit/conf/test_value tests/unit/conf/test_problems \
	tests/unit/conf/test_print
conf_fixture = tests/unit/conf/fixture.c tests/unit/conf/fixture.h
tests_unit_conf_test_load_SOURCES = tests/unit/conf/test_load.c $(conf_fixture)
tests_unit_conf_test_value_SOURCES = tests/unit/conf/test_value.c
tests_unit_conf_test_problems_SOURCES = tests/unit/conf/test_problems.c $(conf_fixture)
tests_unit_conf_test_print_SOURCES = tests/unit/conf/test_print.c $(conf_fixture)
