# mime/: the only room that includes <gmime/gmime.h> and <archive.h>.
libpostern_a_SOURCES += \
	src/mime/archive.h \
	src/mime/filename.c src/mime/filename.h \
	src/mime/scan.h
