# core/: knows no library.
libpostern_a_SOURCES += \
	src/core/content.c src/core/content.h \
	src/core/counters.c src/core/counters.h \
	src/core/edits.c src/core/edits.h \
	src/core/facts.c src/core/facts.h \
	src/core/session.c src/core/session.h \
	src/core/template.c src/core/template.h \
	src/core/verdict.c src/core/verdict.h
