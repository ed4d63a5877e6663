# ctl/: one file a subcommand of posternctl; the library has what they share.
libpostern_a_SOURCES += \
	src/ctl/autoreply.c src/ctl/autoreply.h \
	src/ctl/autoreply_change.c \
	src/ctl/autoreply_import.c \
	src/ctl/autoreply_memory.c \
	src/ctl/autoreply_preview.c \
	src/ctl/autoreply_row.c \
	src/ctl/autoreply_set.c \
	src/ctl/autoreply_show.c \
	src/ctl/forwards.c src/ctl/forwards.h \
	src/ctl/forwards_change.c \
	src/ctl/forwards_import.c \
	src/ctl/input.c src/ctl/input.h \
	src/ctl/json.c src/ctl/json.h \
	src/ctl/json_items.c src/ctl/json_items.h \
	src/ctl/message_file.c src/ctl/message_file.h \
	src/ctl/options.c src/ctl/options.h \
	src/ctl/queue.c \
	src/ctl/state.c src/ctl/state.h
posternctl_SOURCES += \
	src/ctl/check.c \
	src/ctl/control.c src/ctl/control.h \
	src/ctl/ctl.h \
	src/ctl/dmarc.c \
	src/ctl/explain.c src/ctl/explain.h src/ctl/explain_checks.c src/ctl/explain_print.c \
	src/ctl/reload.c \
	src/ctl/spf.c \
	src/ctl/srs.c \
	src/ctl/status.c
