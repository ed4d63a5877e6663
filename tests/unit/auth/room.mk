# tests/unit/auth
check_PROGRAMS += tests/unit/auth/test_sender_record
tests_unit_auth_test_sender_record_SOURCES = tests/unit/auth/test_sender_record.c
check_PROGRAMS += tests/unit/auth/test_sender
tests_unit_auth_test_sender_SOURCES = tests/unit/auth/test_sender.c
# DKIM and Authentication-Results. The messages are signed by data/generate.py.
check_PROGRAMS += tests/unit/auth/test_dkim tests/unit/auth/test_dkim_engines \
	tests/unit/auth/test_dkim_fields tests/unit/auth/test_dkim_parts
check_PROGRAMS += tests/unit/auth/test_authres
tests_unit_auth_test_authres_SOURCES = tests/unit/auth/test_authres.c
DKIM_FIXTURE = tests/unit/auth/dkim_fixture.c tests/unit/auth/dkim_fixture.h
tests_unit_auth_test_dkim_SOURCES = tests/unit/auth/test_dkim.c $(DKIM_FIXTURE)
DKIM_SIGNER = tests/unit/auth/dkim_signer.c tests/unit/auth/dkim_signer.h
tests_unit_auth_test_dkim_engines_SOURCES = tests/unit/auth/test_dkim_engines.c $(DKIM_FIXTURE) $(DKIM_SIGNER)
tests_unit_auth_test_dkim_fields_SOURCES = tests/unit/auth/test_dkim_fields.c $(DKIM_FIXTURE) $(DKIM_SIGNER)
tests_unit_auth_test_dkim_parts_SOURCES = tests/unit/auth/test_dkim_parts.c
check_PROGRAMS += tests/unit/auth/test_key_cache
tests_unit_auth_test_key_cache_SOURCES = tests/unit/auth/test_key_cache.c
EXTRA_DIST += tests/unit/auth/data
check_PROGRAMS += tests/unit/auth/test_author tests/unit/auth/test_policyrec tests/unit/auth/test_policyeval
tests_unit_auth_test_author_SOURCES = tests/unit/auth/test_author.c
tests_unit_auth_test_policyrec_SOURCES = tests/unit/auth/test_policyrec.c
# The only program that calls libopendmarc, to compare its verdicts with ours.
tests_unit_auth_test_policyeval_SOURCES = tests/unit/auth/test_policyeval.c
tests_unit_auth_test_policyeval_LDADD = $(LDADD) $(OPENDMARC_LIBS)
