# tests/unit/srs
check_PROGRAMS += tests/unit/srs/test_srs tests/unit/srs/test_srs_codec tests/unit/srs/test_srs_keys
tests_unit_srs_test_srs_SOURCES = tests/unit/srs/test_srs.c
tests_unit_srs_test_srs_keys_SOURCES = tests/unit/srs/test_srs_keys.c
# known.inc: made with Mail::SRS.
tests_unit_srs_test_srs_codec_SOURCES = tests/unit/srs/test_srs_codec.c tests/unit/srs/known.inc
check_PROGRAMS += tests/unit/srs/test_socketmap_wire tests/unit/srs/test_socketmap tests/unit/srs/test_socketmap_handover
FAKE_SRS = tests/unit/srs/fake_srs.c tests/unit/srs/fake_srs.h
SOCKETMAP_PLACE = tests/unit/srs/place.c tests/unit/srs/place.h
tests_unit_srs_test_socketmap_wire_SOURCES = tests/unit/srs/test_socketmap_wire.c $(FAKE_SRS)
tests_unit_srs_test_socketmap_SOURCES = tests/unit/srs/test_socketmap.c $(SOCKETMAP_PLACE) $(FAKE_SRS)
tests_unit_srs_test_socketmap_handover_SOURCES = tests/unit/srs/test_socketmap_handover.c $(SOCKETMAP_PLACE) $(FAKE_SRS)
check_PROGRAMS += tests/unit/srs/test_forwards
tests_unit_srs_test_forwards_SOURCES = tests/unit/srs/test_forwards.c
check_PROGRAMS += tests/unit/srs/test_nondelivery tests/unit/srs/test_routes
tests_unit_srs_test_nondelivery_SOURCES = tests/unit/srs/test_nondelivery.c
tests_unit_srs_test_routes_SOURCES = tests/unit/srs/test_routes.c tests/unit/aliases/tables.c tests/unit/aliases/tables.h
