# tests/unit/mime
check_PROGRAMS += tests/unit/mime/test_filename
tests_unit_mime_test_filename_SOURCES = tests/unit/mime/test_filename.c
