# tests/unit/util
check_PROGRAMS += tests/unit/util/test_memory tests/unit/util/test_names tests/unit/util/test_log
tests_unit_util_test_memory_SOURCES = tests/unit/util/test_memory.c
tests_unit_util_test_names_SOURCES = tests/unit/util/test_names.c
tests_unit_util_test_log_SOURCES = tests/unit/util/test_log.c
check_PROGRAMS += tests/unit/util/test_strmap
tests_unit_util_test_strmap_SOURCES = tests/unit/util/test_strmap.c
