# tests of src/srs
check_PROGRAMS += tests/unit/srs/test_forwards
tests_unit_srs_test_forwards_SOURCES = tests/unit/srs/test_forwards.c
