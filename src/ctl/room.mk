# ctl/: one file a subcommand of posternctl; the library has what they share.
libpostern_a_SOURCES += \
	src/ctl/json.c src/ctl/json.h \
	src/ctl/options.c src/ctl/options.h
posternctl_SOURCES += \
	src/ctl/check.c \
	src/ctl/control.c src/ctl/control.h \
	src/ctl/ctl.h \
	src/ctl/dmarc.c \
	src/ctl/explain.c src/ctl/explain.h src/ctl/explain_print.c \
	src/ctl/message_file.c src/ctl/message_file.h \
	src/ctl/reload.c \
	src/ctl/spf.c \
	src/ctl/status.c
