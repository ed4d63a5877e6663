# tests/unit/srs
check_PROGRAMS += tests/unit/srs/test_srs tests/unit/srs/test_srs_codec tests/unit/srs/test_srs_keys
tests_unit_srs_test_srs_SOURCES = tests/unit/srs/test_srs.c
# known.inc: made with Mail::SRS.
tests_unit_srs_test_srs_codec_SOURCES = tests/unit/srs/test_srs_codec.c tests/unit/srs/known.inc
tests_unit_srs_test_srs_keys_SOURCES = tests/unit/srs/test_srs_keys.c
