# tests/unit/checks
check_PROGRAMS += tests/unit/checks/test_helo tests/unit/checks/test_recipients
tests_unit_checks_test_helo_SOURCES = tests/unit/checks/test_helo.c
tests_unit_checks_test_recipients_SOURCES = tests/unit/checks/test_recipients.c
check_PROGRAMS += tests/unit/checks/test_spf
tests_unit_checks_test_spf_SOURCES = tests/unit/checks/test_spf.c
check_PROGRAMS += tests/unit/checks/test_dkim_policy
tests_unit_checks_test_dkim_policy_SOURCES = tests/unit/checks/test_dkim_policy.c
check_PROGRAMS += tests/unit/checks/test_dmarc
tests_unit_checks_test_dmarc_SOURCES = tests/unit/checks/test_dmarc.c
check_PROGRAMS += tests/unit/checks/test_forgery
tests_unit_checks_test_forgery_SOURCES = tests/unit/checks/test_forgery.c
check_PROGRAMS += tests/unit/checks/test_autoreply
tests_unit_checks_test_autoreply_SOURCES = tests/unit/checks/test_autoreply.c
check_PROGRAMS += tests/unit/checks/test_srs
tests_unit_checks_test_srs_SOURCES = tests/unit/checks/test_srs.c
