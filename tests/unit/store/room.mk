# tests/unit/store: they start redis-server themselves.
check_PROGRAMS += tests/unit/store/test_contract tests/unit/store/test_race
STORE_FIXTURE = tests/unit/store/fixture.c tests/unit/store/fixture.h
tests_unit_store_test_contract_SOURCES = tests/unit/store/test_contract.c $(STORE_FIXTURE)
tests_unit_store_test_race_SOURCES = tests/unit/store/test_race.c $(STORE_FIXTURE)
