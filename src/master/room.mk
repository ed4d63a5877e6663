# master/: the process tree. posternd links this room and util/ only.
libpostern_a_SOURCES += \
	src/master/link.c src/master/link.h
posternd_SOURCES = src/posternd.c
posternd_LDADD = libpostern.a $(SYSTEMD_LIBS)
