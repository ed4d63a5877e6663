# util/: one topic a pair of files; libc only, but for libidn2 in domain.c, libsystemd in log.c and SQLite in sqlite_why.c.
libpostern_a_SOURCES += \
	src/util/arena.c src/util/arena.h \
	src/util/clock.c src/util/clock.h \
	src/util/crash.c src/util/crash.h \
	src/util/domain.c src/util/domain.h \
	src/util/filepath.c src/util/filepath.h \
	src/util/log.c src/util/log.h \
	src/util/netaddr.c src/util/netaddr.h \
	src/util/newfile.c src/util/newfile.h \
	src/util/smtp_path.c src/util/smtp_path.h \
	src/util/span.h \
	src/util/sqlite_why.c src/util/sqlite_why.h \
	src/util/strbuf.c src/util/strbuf.h \
	src/util/strhash.c src/util/strhash.h \
	src/util/strmap.c src/util/strmap.h \
	src/util/strset.c src/util/strset.h \
	src/util/unlinked.c src/util/unlinked.h \
	src/util/utf8.c src/util/utf8.h
