# checks/: one file a check (the options of the long ones in a second), and checks.c, the ordered list.
libpostern_a_SOURCES += \
	src/checks/attachments.c src/checks/attachments.h \
	src/checks/authres.c src/checks/authres.h \
	src/checks/autoreply.c src/checks/autoreply.h \
	src/checks/bounces.c src/checks/bounces.h \
	src/checks/checks.c \
	src/checks/dkim.c src/checks/dkim.h \
	src/checks/dmarc.c src/checks/dmarc.h \
	src/checks/dmarc_rows.c \
	src/checks/helo.c src/checks/helo.h \
	src/checks/recipients.c src/checks/recipients.h \
	src/checks/spf.c src/checks/spf.h \
	src/checks/srs.c src/checks/srs.h \
	src/checks/srs_rows.c
