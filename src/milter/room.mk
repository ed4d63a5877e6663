# milter/: the only room that includes <libmilter/mfapi.h>.
libpostern_a_SOURCES += \
	src/milter/apply.c src/milter/apply.h \
	src/milter/callbacks.c src/milter/callbacks.h \
	src/milter/drain.c src/milter/drain.h \
	src/milter/listener.c src/milter/listener.h \
	src/milter/milter.c src/milter/milter.h \
	src/milter/negotiate.c src/milter/negotiate.h \
	src/milter/reply.c src/milter/reply.h
