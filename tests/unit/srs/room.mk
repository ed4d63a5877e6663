# tests/unit/srs
check_PROGRAMS += tests/unit/srs/test_srs tests/unit/srs/test_srs_codec
tests_unit_srs_test_srs_SOURCES = tests/unit/srs/test_srs.c
tests_unit_srs_test_srs_codec_SOURCES = tests/unit/srs/test_srs_codec.c tests/unit/srs/known.inc
