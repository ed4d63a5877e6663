# tests/unit/dns
check_PROGRAMS += tests/unit/dns/test_dns
tests_unit_dns_test_dns_SOURCES = tests/unit/dns/test_dns.c
check_PROGRAMS += tests/unit/dns/test_answers
tests_unit_dns_test_answers_SOURCES = tests/unit/dns/test_answers.c
