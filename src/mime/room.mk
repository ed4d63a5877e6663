# mime/: the only room that includes <gmime/gmime.h> and <archive.h>.
libpostern_a_SOURCES += \
	src/mime/archive.h src/mime/archive_detect.c \
	src/mime/archive_list.c src/mime/archive_list.h src/mime/archive_listing.h \
	src/mime/archive_paths.c src/mime/archive_stream.c \
	src/mime/archive_rar5.c \
	src/mime/archive_scan.c \
	src/mime/archive_server.c src/mime/archive_server.h \
	src/mime/archive_reader.c src/mime/archive_reader.h src/mime/archive_udf.c src/mime/archive_zip.c \
	src/mime/content_stream.c src/mime/content_stream.h \
	src/mime/decode.c src/mime/decode.h \
	src/mime/filename.c src/mime/filename.h \
	src/mime/names.c src/mime/names.h src/mime/names_pieces.c src/mime/names_private.h src/mime/names_text.c \
	src/mime/outline.c src/mime/outline.h src/mime/outline_pieces.c \
	src/mime/outline_window.c src/mime/outline_window.h \
	src/mime/params.c src/mime/params.h \
	src/mime/scan.c src/mime/scan.h src/mime/scan_private.h \
	src/mime/scan_addresses.c src/mime/scan_again.c \
	src/mime/scan_fields.c src/mime/scan_fields.h \
	src/mime/scan_part.c src/mime/scan_uuencode.c \
	src/mime/tnef.c src/mime/tnef.h \
	src/mime/uuencode.c src/mime/uuencode.h
