# tests/unit/core
check_PROGRAMS += tests/unit/core/test_engine tests/unit/core/test_message tests/unit/core/test_runner
tests_unit_core_test_engine_SOURCES = tests/unit/core/test_engine.c
tests_unit_core_test_message_SOURCES = tests/unit/core/test_message.c
tests_unit_core_test_runner_SOURCES = tests/unit/core/test_runner.c tests/unit/core/skeleton.c tests/unit/core/skeleton.h
