# core/: knows no library.
libpostern_a_SOURCES += \
	src/core/check.c src/core/check.h \
	src/core/content.c src/core/content.h \
	src/core/counters.c src/core/counters.h \
	src/core/edits.c src/core/edits.h \
	src/core/engine.c src/core/engine.h \
	src/core/facts.c src/core/facts.h \
	src/core/mark.c src/core/mark.h \
	src/core/message.c src/core/message.h \
	src/core/runner.c src/core/runner.h \
	src/core/report.c src/core/report.h \
	src/core/session.c src/core/session.h \
	src/core/settings.c src/core/settings.h \
	src/core/state_rows.c src/core/state_rows.h \
	src/core/subject.c src/core/subject.h \
	src/core/template.c src/core/template.h \
	src/core/verdict.c src/core/verdict.h
