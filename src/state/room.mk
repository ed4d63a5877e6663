# state/: store, spool and aliases opened together.
libpostern_a_SOURCES += \
	src/state/look.c src/state/look.h \
	src/state/look_start.c \
	src/state/state.c src/state/state.h \
	src/state/upkeep.c src/state/upkeep.h
