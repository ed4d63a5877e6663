# ctl/: one file a subcommand of posternctl.
posternctl_SOURCES += \
	src/ctl/control.c src/ctl/control.h \
	src/ctl/reload.c \
	src/ctl/status.c
