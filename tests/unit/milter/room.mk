# tests/unit/milter
check_PROGRAMS += tests/unit/milter/test_drain tests/unit/milter/test_listener tests/unit/milter/test_milter
tests_unit_milter_test_drain_SOURCES = tests/unit/milter/test_drain.c
tests_unit_milter_test_listener_SOURCES = tests/unit/milter/test_listener.c
tests_unit_milter_test_milter_SOURCES = tests/unit/milter/test_milter.c
