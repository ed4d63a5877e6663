# checks/: one file a check, and checks.c, the ordered list.
libpostern_a_SOURCES += \
	src/checks/checks.c
