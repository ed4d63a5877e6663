# tests/unit/auth
check_PROGRAMS += tests/unit/auth/test_sender_record
tests_unit_auth_test_sender_record_SOURCES = tests/unit/auth/test_sender_record.c
check_PROGRAMS += tests/unit/auth/test_sender
tests_unit_auth_test_sender_SOURCES = tests/unit/auth/test_sender.c
# DKIM and Authentication-Results. The messages are signed by data/generate.py.
check_PROGRAMS += tests/unit/auth/test_dkim tests/unit/auth/test_authres
tests_unit_auth_test_authres_SOURCES = tests/unit/auth/test_authres.c
tests_unit_auth_test_dkim_SOURCES = tests/unit/auth/test_dkim.c
EXTRA_DIST += tests/unit/auth/data
