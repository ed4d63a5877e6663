# conf/: the only room that includes <confuse.h>.
libpostern_a_SOURCES += \
	src/conf/checksum.c \
	src/conf/conf.c src/conf/conf.h \
	src/conf/describe.c \
	src/conf/list.c \
	src/conf/listfile.c \
	src/conf/loader.h \
	src/conf/mdoc.c \
	src/conf/print.c \
	src/conf/problem.c \
	src/conf/scan.c \
	src/conf/slot.c \
	src/conf/source.c \
	src/conf/token.c src/conf/token.h \
	src/conf/value.c  \
	src/conf/wrap.c src/conf/wrap.h
