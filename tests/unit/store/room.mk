# tests/unit/store: they start redis-server themselves.
check_PROGRAMS += tests/unit/store/test_contract tests/unit/store/test_file tests/unit/store/test_race \
	tests/unit/store/test_redis tests/unit/store/test_sweep tests/unit/store/test_empty \
	tests/unit/store/test_health
STORE_FIXTURE = tests/unit/store/fixture.c tests/unit/store/fixture.h
tests_unit_store_test_contract_SOURCES = tests/unit/store/test_contract.c $(STORE_FIXTURE)
tests_unit_store_test_file_SOURCES = tests/unit/store/test_file.c $(STORE_FIXTURE)
tests_unit_store_test_empty_SOURCES = tests/unit/store/test_empty.c $(STORE_FIXTURE)
tests_unit_store_test_health_SOURCES = tests/unit/store/test_health.c $(STORE_FIXTURE)
tests_unit_store_test_race_SOURCES = tests/unit/store/test_race.c $(STORE_FIXTURE)
tests_unit_store_test_sweep_SOURCES = tests/unit/store/test_sweep.c $(STORE_FIXTURE)
tests_unit_store_test_redis_SOURCES = tests/unit/store/test_redis.c $(STORE_FIXTURE)
