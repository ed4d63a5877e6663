# checks/: one file a check, and checks.c, the ordered list.
libpostern_a_SOURCES += \
	src/checks/attachments.c src/checks/attachments.h \
	src/checks/checks.c \
	src/checks/helo.c src/checks/helo.h \
	src/checks/recipients.c src/checks/recipients.h
libpostern_a_SOURCES += \
	src/checks/authres.c src/checks/authres.h \
	src/checks/dkim.c src/checks/dkim.h
libpostern_a_SOURCES += \
	src/checks/spf.c src/checks/spf.h
libpostern_a_SOURCES += \
	src/checks/dmarc.c src/checks/dmarc.h
libpostern_a_SOURCES += \
	src/checks/autoreply.c src/checks/autoreply.h
libpostern_a_SOURCES += \
	src/checks/bounces.c src/checks/bounces.h \
	src/checks/srs.c src/checks/srs.h \
	src/checks/srs_rows.c
