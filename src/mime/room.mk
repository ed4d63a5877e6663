# mime/: the only room that includes <gmime/gmime.h> and <archive.h>.
libpostern_a_SOURCES += \
	src/mime/archive.h src/mime/archive_detect.c \
	src/mime/archive_list.c src/mime/archive_list.h \
	src/mime/archive_rar5.c \
	src/mime/archive_scan.c \
	src/mime/archive_server.c src/mime/archive_server.h \
	src/mime/archive_zip.c \
	src/mime/filename.c src/mime/filename.h \
	src/mime/scan.h \
	src/mime/unlinked.c src/mime/unlinked.h
