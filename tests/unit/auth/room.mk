# tests/unit/auth
check_PROGRAMS += tests/unit/auth/test_sender_record
tests_unit_auth_test_sender_record_SOURCES = tests/unit/auth/test_sender_record.c
check_PROGRAMS += tests/unit/auth/test_sender
tests_unit_auth_test_sender_SOURCES = tests/unit/auth/test_sender.c
