check_PROGRAMS += tests/unit/autoreply/test_answer tests/unit/autoreply/test_caps
tests_unit_autoreply_test_answer_SOURCES = tests/unit/autoreply/test_answer.c
tests_unit_autoreply_test_caps_SOURCES = tests/unit/autoreply/test_caps.c
