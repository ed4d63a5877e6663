# tests/unit/mime
check_PROGRAMS += \
	tests/unit/mime/test_archive tests/unit/mime/test_filename tests/unit/mime/test_scan \
	tests/unit/mime/test_decode
tests_unit_mime_test_filename_SOURCES = tests/unit/mime/test_filename.c
tests_unit_mime_test_archive_SOURCES = tests/unit/mime/test_archive.c
tests_unit_mime_test_decode_SOURCES = tests/unit/mime/test_decode.c
tests_unit_mime_test_scan_SOURCES = tests/unit/mime/test_scan.c
EXTRA_DIST += \
	tests/unit/mime/data/generate.py \
	tests/unit/mime/data/enc.7z tests/unit/mime/data/enc.zip tests/unit/mime/data/hdr.7z \
	tests/unit/mime/data/encrypted.rar tests/unit/mime/data/encrypted5.rar \
	tests/unit/mime/data/spin5.rar-head \
	tests/unit/mime/data/stored.cab tests/unit/mime/data/stored.lzh \
	tests/unit/mime/data/stored.rar tests/unit/mime/data/stored5.rar
