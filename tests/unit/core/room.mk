# tests/unit/core
check_PROGRAMS += tests/unit/core/test_engine tests/unit/core/test_message tests/unit/core/test_runner
tests_unit_core_test_engine_SOURCES = tests/unit/core/test_engine.c
tests_unit_core_test_message_SOURCES = tests/unit/core/test_message.c
tests_unit_core_test_runner_SOURCES = tests/unit/core/test_runner.c tests/unit/core/skeleton.c tests/unit/core/skeleton.h
check_PROGRAMS += tests/unit/core/test_template tests/unit/core/test_content tests/unit/core/test_pieces
tests_unit_core_test_template_SOURCES = tests/unit/core/test_template.c
tests_unit_core_test_content_SOURCES = tests/unit/core/test_content.c
tests_unit_core_test_pieces_SOURCES = tests/unit/core/test_pieces.c
